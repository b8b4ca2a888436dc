CREATE TABLE foo_new (id uuid PRIMARY KEY, item bigint REFERENCES foo_items (id), note text DEFAULT 'x')
