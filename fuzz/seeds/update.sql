UPDATE foo_items SET name = (SELECT m.name FROM v1_machines m WHERE m.id = foo_items.id) WHERE id IN (SELECT item FROM foo_parts)
