-- A hundred thousand approved hosts that differ in system, version, architecture and needs.
PRAGMA busy_timeout = 60000;
INSERT INTO machines (id, name, state, key_fingerprint, public_key, poll_handle_hash, hostname, os_family, os_id, os_name, os_version,
  kernel, arch, target, cpus, memory_bytes, boot_id, addresses, agent_version, notes, online, created_at, updated_at, no, updates,
  security_updates, reboot_required)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
SELECT CAST(printf('%016d', i) AS BLOB), printf('host-%06d.example.org', i), 'approved', printf('%064x', i), x'04', printf('%064x', i),
  printf('host-%06d', i), 'linux',
  CASE i % 4 WHEN 0 THEN 'debian' WHEN 1 THEN 'ubuntu' WHEN 2 THEN 'rocky' ELSE 'alpine' END,
  CASE i % 4 WHEN 0 THEN 'Debian' WHEN 1 THEN 'Ubuntu' WHEN 2 THEN 'Rocky' ELSE 'Alpine' END,
  CAST(9 + i % 5 AS TEXT), '6.1.0', CASE i % 3 WHEN 0 THEN 'aarch64' ELSE 'x86_64' END, 'x86_64-unknown-linux-gnu', 4, 8589934592,
  printf('boot-%d', i), '[]', '0.1.0', '', 0, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', i, i % 40, i % 7, i % 13 = 0
FROM n;
