-- Makes the shop's database and its users. Run once, by `store_admin`, in the database `postgres`:
--
--     psql -v ON_ERROR_STOP=1 -v password="$FIRST_PASSWORD" -f roles.sql
--
-- Two users take turns when the password changes. Both act as `store_owner` from the moment they log in, so
-- it does not matter which of them made a table.

CREATE ROLE store_owner NOLOGIN;
GRANT store_owner TO CURRENT_USER;
CREATE ROLE store LOGIN PASSWORD :'password' IN ROLE store_owner;
CREATE ROLE store_clone LOGIN IN ROLE store_owner;
ALTER ROLE store SET role TO store_owner;
ALTER ROLE store_clone SET role TO store_owner;

CREATE DATABASE store OWNER store_owner;
REVOKE ALL ON DATABASE store FROM PUBLIC;
