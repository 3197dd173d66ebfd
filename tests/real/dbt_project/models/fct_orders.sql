select s.id, s.customer_id, s.status, s.amount from {{ ref('stg_orders') }} s
