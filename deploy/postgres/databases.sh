#!/bin/sh
# Runs once, when the database container makes its data: one database and one role per service.
set -eu

make_database() {
    psql --set=ON_ERROR_STOP=1 --username=postgres --set=name="redress_$1" --set=password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0;
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

make_database intake "$INTAKE_DATABASE_PASSWORD"
make_database workflow "$WORKFLOW_DATABASE_PASSWORD"
make_database notification "$NOTIFICATION_DATABASE_PASSWORD"
