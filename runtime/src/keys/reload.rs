//! Keys from files that are read again while the server runs.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::{
    runtime::Handle,
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep},
};

use super::{KeySet, files::FileContents, load::FixedLoader};
use crate::{error::ConfigError, guard};

/// How long a verification waits for the files. Local ones are read in less than a millisecond; a
/// file system on the network may not answer.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The keys of files. They are read again by the first verification after the interval, so that no
/// task runs while there are no tokens.
pub(crate) struct ReloadedKeys(Arc<Shared>);

struct Shared {
    loader: FixedLoader,
    interval: Duration,
    state: Mutex<State>,
    /// Held while the files are read: verifications that wait for it share the answer.
    turn: Arc<AsyncMutex<()>>,
}

struct State {
    keys: Arc<KeySet>,
    /// What the files held when they were read, good or bad.
    contents: FileContents,
    /// When they were read.
    read: Instant,
}

impl ReloadedKeys {
    /// Reads the files for the first time.
    ///
    /// # Errors
    ///
    /// A key is missing, cannot be parsed or is too weak.
    pub(crate) fn load(loader: FixedLoader, interval: Duration) -> Result<Self, ConfigError> {
        let read = Instant::now();
        let contents = loader.read();
        let state = State {
            keys: Arc::new(loader.parse(&contents)?),
            contents,
            read,
        };

        Ok(Self(Arc::new(Shared {
            loader,
            interval,
            state: Mutex::new(state),
            turn: Arc::default(),
        })))
    }

    /// Returns the keys, after a look at the files if the interval is over.
    pub(crate) async fn current(&self) -> Arc<KeySet> {
        let shared = &self.0;

        if shared.is_due() {
            if Handle::try_current().is_ok() {
                // Boxed, because most verifications do not need it.
                Box::pin(shared.read_in_time()).await;
            } else {
                let since = Instant::now();
                shared.take(shared.loader.read(), since);
            }
        }

        Arc::clone(&shared.state().keys)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self) -> bool {
        self.state().read.elapsed() >= self.interval
    }

    async fn read_in_time(self: &Arc<Self>) {
        // A runtime without timers panics here.
        let Ok(limit) = guard::call("a timer", || sleep(TIME_LIMIT)) else {
            return self.read_again().await;
        };
        if let Either::Right(_) = select(pin!(self.read_again()), pin!(limit)).await {
            self.postpone();
        }
    }

    /// Reads the files once for any number of callers, and waits for the end of it.
    async fn read_again(self: &Arc<Self>) {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if self.is_due() && self.start(turn).await.is_err() {
            self.postpone();
        }
    }

    /// Reads the files in a separate task: if a caller gives up, the others still get the keys.
    fn start(self: &Arc<Self>, turn: OwnedMutexGuard<()>) -> JoinHandle<()> {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let reader = Arc::clone(&shared);
            let since = Instant::now();
            match spawn_blocking(move || reader.loader.read()).await {
                Ok(contents) => shared.take(contents, since),
                Err(_) => shared.postpone(),
            }
            drop(turn);
        })
    }

    /// Replaces the keys if the files have changed and are good. `since` is when reading them began.
    fn take(&self, contents: FileContents, since: Instant) {
        let is_same = self.state().contents.is_same(&contents);
        let loaded = (!is_same).then(|| self.loader.parse(&contents));

        let mut state = self.state();
        state.read = since;
        state.contents = contents;
        match loaded {
            None => {}
            Some(Ok(keys)) => {
                state.keys = Arc::new(keys);
                drop(state);
                tracing::info!(files = self.loader.names(), "the keys are loaded again");
            }
            Some(Err(problem)) => {
                drop(state);
                tracing::error!(
                    %problem,
                    "the files of keys have changed and cannot be used; the old keys are kept"
                );
            }
        }
    }

    /// Keeps the old keys for one more interval, because the files could not be read in time.
    fn postpone(&self) {
        if self.is_due() {
            self.state().read = Instant::now();
            tracing::error!(
                files = self.loader.names(),
                "the files of keys cannot be read in time; the old keys are kept"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::PathBuf, process};

    use futures_util::FutureExt;
    use tokio::runtime::Builder;

    use super::*;
    use crate::{Algorithm, keys::FixedKeys};

    /// A file that is removed with its test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str, content: &str) -> Self {
            let name = format!("jwt-auth-{}-{name}", process::id());
            let file = Self(env::temp_dir().join(name));
            file.write(content);
            file
        }

        fn write(&self, content: &str) {
            fs::write(&self.0, content).unwrap();
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            fs::remove_file(&self.0).ok();
        }
    }

    /// The keys of a file that is read for every token.
    fn reloaded(file: &File) -> ReloadedKeys {
        reloaded_after(file, Duration::ZERO)
    }

    fn reloaded_after(file: &File, interval: Duration) -> ReloadedKeys {
        let path = file.0.to_str().unwrap().to_owned();
        let keys = FixedKeys::SecretFile(vec![path]);
        let loader = FixedLoader::new(keys, [Algorithm::HS256]);
        ReloadedKeys::load(loader, interval).unwrap()
    }

    fn secret(letter: &str) -> String {
        letter.repeat(32)
    }

    #[test]
    fn files_are_reloaded_without_a_runtime_too() {
        let file = File::new("no-runtime", &secret("a"));
        let keys = reloaded(&file);
        let current = || keys.current().now_or_never().unwrap();

        let first = current();
        assert!(Arc::ptr_eq(&first, &current()), "the file is the same");
        file.write(&secret("b"));
        assert!(!Arc::ptr_eq(&first, &current()));
    }

    #[test]
    fn files_are_reloaded_without_timers_too() {
        let file = File::new("no-timers", &secret("a"));
        let keys = reloaded(&file);
        let runtime = Builder::new_current_thread().build().unwrap();
        let first = runtime.block_on(keys.current());
        file.write(&secret("b"));
        assert!(!Arc::ptr_eq(&first, &runtime.block_on(keys.current())));
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_does_not_cancel_the_reading() {
        let file = File::new("gives-up", &secret("a"));
        let keys = reloaded(&file);
        let first = Arc::clone(&keys.0.state().keys);
        file.write(&secret("b"));

        assert!(keys.current().now_or_never().is_none());
        drop(keys.0.turn.lock().await);
        assert!(!Arc::ptr_eq(&first, &keys.0.state().keys));
    }

    /// The caller has waited for its turn.
    #[tokio::test]
    async fn a_caller_whose_files_another_one_has_read_does_not_read_them() {
        let file = File::new("waited", &secret("a"));
        let keys = reloaded_after(&file, Duration::from_hours(1));
        let first = Arc::clone(&keys.0.state().keys);
        file.write(&secret("b"));

        keys.0.read_again().await;
        assert!(Arc::ptr_eq(&first, &keys.0.state().keys));
    }

    #[tokio::test]
    async fn nothing_keeps_the_keys_once_they_are_dropped() {
        let file = File::new("dropped", &secret("a"));
        let keys = reloaded(&file);
        let shared = Arc::downgrade(&keys.0);
        keys.current().await;
        drop(keys);
        assert!(shared.upgrade().is_none());
    }
}
