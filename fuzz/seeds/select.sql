SELECT i.id, i.name, count(p.id) AS parts FROM foo_items i LEFT JOIN foo_parts p ON p.item = i.id WHERE i.name LIKE ? GROUP BY i.id HAVING count(p.id) > 1 ORDER BY i.name LIMIT 10
