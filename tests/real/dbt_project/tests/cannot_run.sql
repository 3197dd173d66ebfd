select missing_column from {{ ref('dim_customers') }}
