DELETE FROM foo_parts WHERE NOT EXISTS (SELECT 1 FROM foo_items WHERE foo_items.id = foo_parts.item)
