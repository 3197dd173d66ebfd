select * from {{ ref('fct_orders') }} where amount < 3
