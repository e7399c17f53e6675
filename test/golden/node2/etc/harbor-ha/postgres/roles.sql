SET log_statement = 'none';
SELECT 'CREATE ROLE replication LOGIN REPLICATION' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replication') \gexec
SELECT 'CREATE ROLE harbor LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'harbor') \gexec
ALTER ROLE replication PASSWORD '@{postgres.replication:1}';
ALTER ROLE harbor PASSWORD '@{postgres.harbor:1}';
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean), pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) TO replication;
SELECT 'CREATE DATABASE registry OWNER harbor TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'registry') \gexec
REVOKE CONNECT ON DATABASE registry FROM PUBLIC;
