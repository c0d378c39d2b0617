//! SQLite: one writer thread, readers in line, syncs of our own.
//!
//! Commits do not sync. The write-ahead log is synced by a thread of ours ([`sync`]), which acknowledges everything that
//! was committed before it began: many writes share one sync, and a write that needs none never waits behind one. What
//! SQLite itself syncs (before and after a checkpoint) stays as it is: `synchronous=NORMAL`.

mod aside;
mod checkpoint;
mod reserve;
mod stepped;
mod sync;
mod writer;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use longshore_core::{Code, Error, Result, Room};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use crate::db::{Body, Durability, Steps};
use crate::migrate;
use crate::tx::Tx;
use crate::value::{Columns, FromRow, Value};

/// The oldest SQLite without the bug that could damage a database when its log was reset (fixed in 3.51.3).
const OLDEST: i32 = 3_051_003;

/// A SQLite database, open.
#[derive(Debug)]
pub(crate) struct Lite {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Way,
}

/// How writes are run.
#[derive(Debug)]
enum Way {
    Threads(writer::Writer),
    Steps(stepped::Stepped),
}

impl Lite {
    pub(crate) fn open(path: &Path, bytes: u64, room: &Room) -> Result<Self> {
        let reserve = Arc::new(reserve::Reserve::new(path, bytes, room.clone()));
        // It lives as long as the writer, who gives it up.
        let kept = Arc::downgrade(&reserve);
        room.looks_by(move || kept.upgrade().is_none_or(|reserve| reserve.regain()));
        Self::open_with(path, |conn| {
            let log = Arc::new(sync::Log::open(path)?);
            let writer = writer::Writer::start(conn, log, reserve, path)?;
            Ok(Way::Threads(writer))
        })
    }

    pub(crate) fn open_stepped(path: &Path, steps: Arc<dyn Steps>) -> Result<Self> {
        Self::open_with(path, |conn| {
            Ok(Way::Steps(stepped::Stepped::new(conn, path, steps)?))
        })
    }

    fn open_with(path: &Path, way: impl FnOnce(Connection) -> Result<Way>) -> Result<Self> {
        if rusqlite::version_number() < OLDEST {
            return Err(unavailable(format!(
                "SQLite {} is older than this program may use",
                rusqlite::version()
            )));
        }
        private(path)?;
        let mut conn = connect(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )?;
        migrate::up(&mut conn)?;
        // There is one writer, its digests land anywhere in trees that may be large, and nothing but itself makes what it
        // remembers of them void.
        conn.pragma_update(None, "cache_size", -65536)
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            readers: Mutex::new(Vec::new()),
            writer: way(conn)?,
        })
    }

    pub(crate) fn read<A, T>(&self, args: &A, body: Body<A, T>) -> Result<T> {
        let mut conn = self.reader()?;
        // One view for all statements of the body, also while the writer goes on.
        exec(&conn, "BEGIN", &[])?;
        let answer = run(&mut conn, args, body);
        exec(&conn, "COMMIT", &[])?;
        // A connection on which something failed is not kept.
        lock(&self.readers).push(conn);
        answer
    }

    pub(crate) async fn write<A, T>(
        &self,
        durability: Durability,
        args: A,
        body: Body<A, T>,
    ) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        match &self.writer {
            Way::Threads(writer) => writer.write(durability, args, body).await,
            Way::Steps(stepped) => stepped.write(durability, args, body).await,
        }
    }

    pub(crate) async fn close(&self) -> Result<()> {
        lock(&self.readers).clear();
        match &self.writer {
            Way::Threads(writer) => writer.close().await,
            Way::Steps(_) => Ok(()),
        }
    }

    pub(crate) fn snapshot(&self, to: &Path) -> Result<()> {
        private(to)?;
        let conn = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let name = to
            .to_str()
            .ok_or_else(|| unavailable("the path of the copy is not UTF-8"))?;
        conn.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
        // The copy is written without a sync.
        std::fs::File::open(to)
            .and_then(|file| file.sync_all())
            .map_err(|error| unavailable("the copy cannot be synced").because(error))
    }

    pub(crate) fn problems(&self, quick: bool) -> Result<Vec<String>> {
        let conn = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let sql = if quick {
            "PRAGMA quick_check(100)"
        } else {
            "PRAGMA integrity_check(100)"
        };
        let mut statement = conn.prepare(sql).map_err(failed)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        let mut found = rows
            .collect::<rusqlite::Result<Vec<String>>>()
            .map_err(failed)?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    fn reader(&self) -> Result<Connection> {
        let kept = lock(&self.readers).pop();
        match kept {
            Some(conn) => Ok(conn),
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY),
        }
    }
}

/// Makes the file, if it is not there, for this user alone; SQLite gives its log the same mode. One that is there is not
/// opened: closing it would take SQLite's locks away, which belong to the process.
fn private(path: &Path) -> Result<()> {
    match OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(unavailable("the metadata database cannot be opened").because(error))
        }
        _ => Ok(()),
    }
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))
        .map_err(failed)?;
    if mode.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        conn.pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
    }
    // Syncs and checkpoints are ours to time; see the module's words.
    conn.pragma_update(None, "synchronous", "NORMAL")
        .map_err(failed)?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)
        .map_err(failed)?;
    conn.pragma_update(None, "foreign_keys", true)
        .map_err(failed)?;
    conn.pragma_update(None, "cache_size", -8192)
        .map_err(failed)?;
    // Not mapped: what the disk cannot give of a mapping ends the process, where a read is an answer of 503.
    conn.pragma_update(None, "mmap_size", 0).map_err(failed)?;
    // What a batch needs to undo one of its transactions is kept in memory: beyond 64 KiB it would go to a file in
    // /var/tmp, which a container with a read-only root does not have.
    conn.pragma_update(None, "temp_store", "MEMORY")
        .map_err(failed)?;
    conn.pragma_update(None, "trusted_schema", false)
        .map_err(failed)?;
    // The bundled SQLite looks at bound values to choose a plan, and so forgets the plan each time another value is bound:
    // every statement with a comparison was parsed anew. Our plans are the same for all values, and tests say which.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(256);
    Ok(conn)
}

/// Runs a transaction's body to its end. On SQLite it never waits, so one poll is all it takes.
fn run<A, T>(conn: &mut Connection, args: &A, body: Body<A, T>) -> Result<T> {
    let mut tx = Tx::Lite(conn);
    body(&mut tx, args).now_or_never().unwrap_or_else(|| {
        Err(Error::internal(
            "the body of a SQLite transaction waited for something",
        ))
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(int) => ValueRef::Integer(*int),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

pub(crate) fn query<T: FromRow>(
    conn: &Connection,
    sql: &'static str,
    values: &[Value],
    limit: usize,
) -> Result<Vec<T>> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let width = statement.column_count();
    let mut columns = Vec::with_capacity(width);
    let mut rows = statement
        .query(rusqlite::params_from_iter(values))
        .map_err(failed)?;
    let mut answer = Vec::new();
    while answer.len() < limit {
        let Some(row) = rows.next().map_err(failed)? else {
            break;
        };
        for at in 0..width {
            columns.push(column(row.get_ref(at).map_err(failed)?)?);
        }
        answer.push(T::from_row(Columns(columns.drain(..)))?);
    }
    Ok(answer)
}

fn column(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Text(text) => Value::Text(
            std::str::from_utf8(text)
                .map_err(|error| {
                    unavailable("a text in the metadata database is not UTF-8").because(error)
                })?
                .to_owned(),
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => {
            return Err(Error::internal(
                "a column of the metadata database holds a float",
            ));
        }
    })
}

pub(crate) fn exec(conn: &Connection, sql: &'static str, values: &[Value]) -> Result<usize> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    statement
        .execute(rusqlite::params_from_iter(values))
        .map_err(failed)
}

/// A failure of SQLite, as its caller's client may know it.
fn failed(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let public = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the registry's metadata disk is full; ask its operator to make room"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "the registry's metadata is in use by another program; try again shortly"
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "the registry's metadata is damaged; its operator has to restore it from a backup"
        }
        Some(ErrorCode::OperationInterrupted) => {
            "this took the registry too long; ask for less, or more precisely"
        }
        _ => "the registry's metadata cannot be reached just now",
    };
    unavailable(public).because(error)
}

fn unavailable(public: impl Into<String>) -> Error {
    Error::new(Code::Unavailable, public).retry_after(std::time::Duration::from_secs(5))
}

/// A lock whose holder panicked is taken all the same: what it guards here is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
