WITH users AS (SELECT 1 AS id) SELECT * FROM users, foo_items AS users2
