//! A disk that is full.

use std::path::PathBuf;
use std::process::Command;

use longshore_blob::{BlobStore as _, Files};
use longshore_core::Code;
use longshore_spec::Algorithm;

use crate::open::eprintln_skip;
use crate::{collect, content, now, options, sha256, whole};

/// A file system in memory of 3 MiB, mounted for the test.
struct Small(PathBuf);

impl Small {
    /// `None` where that needs rights the test does not have.
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "none"])
            .arg(&path)
            .output();
        mount
            .is_ok_and(|mount| mount.status.success())
            .then_some(Self(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_writes_fail_clearly_reads_go_on_and_a_removal_makes_room_without_a_restart()
{
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Small::mount(dir.path().join("disk")) else {
        eprintln_skip("a small file system can only be mounted as root");
        return;
    };
    let files = Files::open(&options(&disk.0)).unwrap();
    let old = content(1_500_000);
    let mut stage = files.stage(Algorithm::Sha256, now()).await.unwrap();
    files
        .extend(&mut stage, whole(&old), None, u64::MAX)
        .await
        .unwrap();
    let stored = files.publish(&stage, &sha256(&old)).await.unwrap();

    let new = content(2_600_000);
    for announced in [None, Some(new.len() as u64)] {
        let mut stage = files.stage(Algorithm::Sha256, now()).await.unwrap();
        let error = files
            .extend(&mut stage, whole(&new), announced, u64::MAX)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(
            error.wait().is_some() && error.public().contains("full"),
            "{error:?}"
        );
        assert_eq!(stage.offset(), 0);
        let room = dir.path().join("disk/room");
        std::fs::write(&room, vec![1; 1_000_000]).expect("the body has given back what it took");
        std::fs::remove_file(room).unwrap();

        let body = files
            .read(&stored.location, stored.size, 0..stored.size)
            .await
            .unwrap();
        assert!(collect(body).await == old, "reading goes on");

        let put = files
            .put(&[new.clone().into()], &sha256(&new), now())
            .await
            .unwrap_err();
        assert!(put.public().contains("full"), "{put:?}");
        assert_eq!(files.walk(None, 9).await.unwrap().len(), 2, "nothing stays");

        if announced.is_none() {
            files.discard(&stage).await.unwrap();
            continue;
        }
        files.remove(&stored.location).await.unwrap();
        files
            .extend(&mut stage, whole(&new), None, u64::MAX)
            .await
            .unwrap();
        files.publish(&stage, &sha256(&new)).await.unwrap();
    }
}
