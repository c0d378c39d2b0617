//! A process that is killed in the middle of an upload.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use longshore_blob::{BlobStore as _, Files, Stage, Stored};
use longshore_spec::Algorithm;

use crate::{collect, content, now, options, sha256, stuck, whole};

/// Tells this program, started again by the test below, that it is the one to be killed, and where the store is.
const VICTIM: &str = "BLOB_TEST_VICTIM";

const FIRST: usize = 2_500_000;
const WHOLE: usize = 9_000_000;

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it_and_the_rest_is_cut() {
    if let Some(dir) = env::var_os(VICTIM) {
        return victim(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::what_was_acknowledged_before_a_kill_is_there_after_it_and_the_rest_is_cut",
        ])
        .env(VICTIM, dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let row = dir.path().join("row");
    for _ in 0..10_000 {
        if row.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    let stage = Stage::decode(&fs::read(&row).unwrap()).unwrap();
    let staged = dir.path().join("store").join(stage.key().as_str());
    // Until there is something to cut.
    for _ in 0..10_000 {
        if fs::metadata(&staged).unwrap().len() > FIRST as u64 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(
        Files::open(&options(&dir.path().join("store"))).is_err(),
        "two processes have the store"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        fs::metadata(&staged).unwrap().len() > FIRST as u64,
        "nothing was torn"
    );

    let files = Files::open(&options(&dir.path().join("store"))).unwrap();
    let (mut stage, all) = (stage, content(WHOLE));
    assert_eq!(stage.offset(), FIRST as u64);
    files
        .extend(&mut stage, whole(&all[FIRST..]), None, u64::MAX)
        .await
        .unwrap();
    let Stored { location, size } = files.publish(&stage, &sha256(&all)).await.unwrap();
    files.sync(&location).await.unwrap();
    assert!(collect(files.read(&location, size, 0..size).await.unwrap()).await == all);
}

/// Takes one chunk and says so, then gets stuck in the middle of one with other bytes.
async fn victim(dir: &Path) {
    let files = Files::open(&options(&dir.join("store"))).unwrap();
    let mut stage = files.stage(Algorithm::Sha256, now()).await.unwrap();
    files
        .extend(&mut stage, whole(&content(FIRST)), None, u64::MAX)
        .await
        .unwrap();
    fs::write(dir.join("half"), stage.encode()).unwrap();
    fs::rename(dir.join("half"), dir.join("row")).unwrap();
    let wrong = vec![0xee; 4_000_000];
    let _ = files
        .extend(&mut stage, stuck(&wrong), None, u64::MAX)
        .await;
}
