//! Copies of a database in use.

use std::fs::File;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::{is_missing_table, options, statement_error};
use crate::store::{StoreError, migrations};

/// Writes what one reader sees into another file. It takes no lock that would keep the writer waiting.
const COPY: &str = "VACUUM INTO $1";
/// Says `ok`, or up to so many lines of what is wrong.
const CHECK: &str = "PRAGMA integrity_check(10)";
/// What [`CHECK`] says of a sound file.
const SOUND: &str = "ok";
/// What means something else in a URL.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#');

/// See [`crate::store::file_of`].
pub(crate) fn file_of(database_url: &str) -> Result<PathBuf, StoreError> {
    if !database_url.starts_with("sqlite:") {
        return Err(StoreError::Schema(
            "a database in a file has a URL like sqlite://entente.db".to_owned(),
        ));
    }
    Ok(options(database_url)?.get_filename().to_path_buf())
}

/// See [`crate::store::url_of`].
pub(crate) fn url_of(file: &Path) -> String {
    let path = file.to_string_lossy();
    format!("sqlite://{}", utf8_percent_encode(&path, ESCAPED))
}

/// See [`crate::store::copy`].
pub(crate) async fn copy(database_url: &str, target: &Path) -> Result<(), StoreError> {
    let source = options(database_url)?
        .create_if_missing(false)
        .read_only(true);
    if !source.get_filename().exists() {
        let path = source.get_filename().display();
        let why = format!("there is no database at {path}");
        return Err(StoreError::Schema(why));
    }
    let Some(target_text) = target.to_str() else {
        let why = format!("the path {} is not text", target.display());
        return Err(StoreError::Schema(why));
    };
    let mut connection = connect(&source).await?;
    migrations::recognise(
        &migrations::sqlite(),
        &mut connection,
        statement_error,
        is_missing_table,
    )
    .await?;
    sqlx::query(COPY)
        .bind(target_text)
        .execute(&mut connection)
        .await
        .map_err(|error| statement_error(&error))?;
    close(connection).await?;
    check(target).await?;
    make_durable(target)
}

/// Looks through a whole file for damage.
async fn check(file: &Path) -> Result<(), StoreError> {
    let options = options(&url_of(file))?.read_only(true);
    let mut connection = connect(&options).await?;
    let found: Vec<String> = sqlx::query_scalar(CHECK)
        .fetch_all(&mut connection)
        .await
        .map_err(|error| statement_error(&error))?;
    close(connection).await?;
    if found == [SOUND] {
        return Ok(());
    }
    Err(StoreError::Corrupt(found.join("; ")))
}

async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let connected = options.connect().await;
    connected.map_err(|error| statement_error(&error))
}

async fn close(connection: SqliteConnection) -> Result<(), StoreError> {
    let closed = connection.close().await;
    closed.map_err(|error| statement_error(&error))
}

/// A copy is not written through to the disk by itself.
fn make_durable(file: &Path) -> Result<(), StoreError> {
    let synced = File::open(file).and_then(|file| file.sync_all());
    synced.map_err(|error| {
        StoreError::Unavailable(format!("{} is not on the disk: {error}", file.display()))
    })
}
