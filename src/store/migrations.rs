//! The schema's migrations, part of the program, and the check that a database has all of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::SqlSafeStr;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::StoreError;

/// Number, name, and the text for `SQLite` and for `PostgreSQL`.
type Step = (i64, &'static str, &'static str, &'static str);

macro_rules! step {
    ($number:literal, $name:literal, $file:literal) => {
        (
            $number,
            $name,
            include_str!(concat!("../../migrations/sqlite/", $file)),
            include_str!(concat!("../../migrations/postgres/", $file)),
        )
    };
}

/// Every migration, in order. What has been released is never changed.
const STEPS: &[Step] = &[
    step!(1, "initial", "0001_initial.sql"),
    step!(2, "reports", "0002_reports.sql"),
];

/// The migrations for `SQLite`.
pub(super) fn sqlite() -> Migrator {
    migrator(|(_, _, sqlite, _)| sqlite)
}

/// The migrations for `PostgreSQL`.
pub(super) fn postgres() -> Migrator {
    migrator(|(_, _, _, postgres)| postgres)
}

fn migrator(text: fn(&Step) -> &'static str) -> Migrator {
    let migrations = STEPS.iter().map(|step| {
        let name = Cow::Borrowed(step.1);
        Migration::new(
            step.0,
            name,
            MigrationType::Simple,
            text(step).into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// Brings the schema up to date. `connection_error` says what an error below means.
pub(super) async fn run<C: Migrate>(
    migrator: &Migrator,
    connection: &mut C,
    connection_error: fn(&sqlx::Error) -> StoreError,
) -> Result<(), StoreError> {
    migrator
        .run_direct(None, connection, false)
        .await
        .map_err(|error| match error {
            MigrateError::Execute(source) => connection_error(&source),
            MigrateError::ExecuteMigration(source, number) => match connection_error(&source) {
                unavailable @ StoreError::Unavailable(_) => unavailable,
                other => StoreError::Schema(format!("migration {number} failed: {other}")),
            },
            MigrateError::VersionMissing(number) => newer(number),
            MigrateError::VersionMismatch(number) => altered(number),
            other => StoreError::Schema(other.to_string()),
        })
}

/// Checks that exactly the migrations of this program were applied.
///
/// `is_missing_table` tells the error of a database that was never migrated.
pub(super) async fn check<C: Migrate>(
    migrator: &Migrator,
    connection: &mut C,
    connection_error: fn(&sqlx::Error) -> StoreError,
    is_missing_table: fn(&sqlx::Error) -> bool,
) -> Result<(), StoreError> {
    let applied = applied(migrator, connection, connection_error, is_missing_table).await?;
    let empty =
        || StoreError::Schema("the database is empty: run `entente migrate` first".to_owned());
    compare(migrator, &applied.ok_or_else(empty)?)
}

/// Checks that a database is one of this program or of an older version of it.
pub(super) async fn recognise<C: Migrate>(
    migrator: &Migrator,
    connection: &mut C,
    connection_error: fn(&sqlx::Error) -> StoreError,
    is_missing_table: fn(&sqlx::Error) -> bool,
) -> Result<(), StoreError> {
    let applied = applied(migrator, connection, connection_error, is_missing_table).await?;
    let Some(applied) = applied.filter(|applied| !applied.is_empty()) else {
        let why = "that is no database of this program, or an empty one";
        return Err(StoreError::Schema(why.to_owned()));
    };
    for migration in applied {
        let known = migrator
            .iter()
            .find(|known| known.version == migration.version);
        let known = known.ok_or_else(|| newer(migration.version))?;
        if known.checksum != migration.checksum {
            return Err(altered(migration.version));
        }
    }
    Ok(())
}

/// What was applied; `None` if the database was never migrated.
async fn applied<C: Migrate>(
    migrator: &Migrator,
    connection: &mut C,
    connection_error: fn(&sqlx::Error) -> StoreError,
    is_missing_table: fn(&sqlx::Error) -> bool,
) -> Result<Option<Vec<AppliedMigration>>, StoreError> {
    match connection
        .list_applied_migrations(&migrator.table_name)
        .await
    {
        Ok(applied) => Ok(Some(applied)),
        Err(MigrateError::Execute(error)) if is_missing_table(&error) => Ok(None),
        Err(MigrateError::Execute(error)) => Err(connection_error(&error)),
        Err(error) => Err(StoreError::Schema(error.to_string())),
    }
}

fn compare(migrator: &Migrator, applied: &[AppliedMigration]) -> Result<(), StoreError> {
    let mut left: BTreeMap<i64, &AppliedMigration> = applied
        .iter()
        .map(|migration| (migration.version, migration))
        .collect();
    for known in migrator.iter() {
        let Some(found) = left.remove(&known.version) else {
            return Err(StoreError::Schema(format!(
                "the database lacks migration {}: run `entente migrate` first",
                known.version
            )));
        };
        if found.checksum != known.checksum {
            return Err(altered(known.version));
        }
    }
    left.keys()
        .next()
        .map_or(Ok(()), |number| Err(newer(*number)))
}

fn newer(number: i64) -> StoreError {
    StoreError::Schema(format!(
        "the database is newer than this program: it has migration {number}"
    ))
}

fn altered(number: i64) -> StoreError {
    StoreError::Schema(format!(
        "migration {number} was applied in another wording than this program's"
    ))
}
