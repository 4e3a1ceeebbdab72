CREATE TABLE plans (code text PRIMARY KEY, name text NOT NULL);
INSERT INTO plans VALUES ('free', 'Free of charge'), ('team', 'For teams');
CREATE TABLE customers (id bigint, email text, plan text, revenue numeric, seen_at timestamptz);
INSERT INTO customers VALUES
    (7, 'Ada@Example.com', 'team', 1234.50, '2026-03-01T23:30:00Z'),
    (8, 'bo@example.com', NULL, NULL, '2026-02-28T12:00:00Z'),
    (9, 'cy@example.com', 'free', 12.25, '2026-03-02T08:00:00+01:00');
