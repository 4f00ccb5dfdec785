//! What the files of keys and secrets hold.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::error::{ConfigError, ConfigErrorKind};

/// The files of one source of keys, each read once.
///
/// They are compared by content: a volume of Kubernetes replaces a file by moving a symbolic link,
/// and copies may keep the time of the last change.
pub(super) struct FileContents(Vec<(PathBuf, Result<Vec<u8>, Arc<io::Error>>)>);

impl FileContents {
    /// Reads the files. Blocks the thread.
    pub(super) fn read(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let contents = files.into_iter().map(|file| {
            let content = fs::read(&file).map_err(Arc::new);
            (file, content)
        });
        Self(contents.collect())
    }

    /// Returns the content of one of the files.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(super) fn get(&self, file: &Path) -> Result<&[u8], ConfigError> {
        let content = self.0.iter().find(|(path, _)| path == file);

        match content.map(|(_, content)| content) {
            Some(Ok(content)) => Ok(content),
            Some(Err(error)) => Err(cannot_be_read(file, Arc::clone(error))),
            None => Err(cannot_be_read(file, Arc::new(io::ErrorKind::Other.into()))),
        }
    }

    /// Returns whether both have the same content, or the same errors.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |own: &Result<Vec<u8>, Arc<io::Error>>, other: &Result<_, Arc<io::Error>>| match (
            own, other,
        ) {
            (Ok(own), Ok(other)) => own == other,
            (Err(own), Err(other)) => own.to_string() == other.to_string(),
            _ => false,
        };

        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|((path, own), (other_path, other))| path == other_path && same(own, other))
    }
}

fn cannot_be_read(file: &Path, error: Arc<io::Error>) -> ConfigError {
    let message = format!(
        "the file {} cannot be read ({error}); check its path and its rights",
        file.display()
    );
    ConfigError::new(ConfigErrorKind::File, message).with_source(error)
}
