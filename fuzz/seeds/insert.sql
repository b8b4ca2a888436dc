INSERT INTO "foo_items" ("id", "name") VALUES (?, ?), (3, 'x') ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name" RETURNING "id"
