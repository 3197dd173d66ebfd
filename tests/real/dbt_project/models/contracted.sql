select id, name as label from {{ ref('raw_customers') }}
