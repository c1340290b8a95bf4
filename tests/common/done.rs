//! The outcome of a run of the `wpool` program, and the assertions of tests on it.

use super::run::Done;

impl Done {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        if self.code != Some(code) {
            self.fail(&format!("exit code {code}"));
        }
        self
    }

    /// Asserts the standard output.
    #[track_caller]
    pub(crate) fn prints(self, stdout: impl AsRef<[u8]>) -> Self {
        if self.stdout != stdout.as_ref() {
            self.fail(&format!("the output {:?}", String::from_utf8_lossy(stdout.as_ref())));
        }
        self
    }

    /// Asserts that standard error contains a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        if !self.stderr.contains(text) {
            self.fail(&format!("the message {text:?}"));
        }
        self
    }

    /// Asserts that standard error is empty.
    #[track_caller]
    pub(crate) fn says_nothing(self) -> Self {
        if !self.stderr.is_empty() {
            self.fail("nothing on standard error");
        }
        self
    }

    /// Returns the lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        std::str::from_utf8(&self.stdout).expect("the output is text").lines().collect()
    }

    /// Returns the lines of standard error that begin with a label.
    pub(crate) fn labelled(&self, label: &str) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with(label)).collect()
    }

    /// Returns the rows of `--jsonl`.
    pub(crate) fn rows(&self) -> Vec<serde_json::Value> {
        let row = |line: &&str| serde_json::from_str(line).expect("a row is JSON");
        self.lines().iter().map(row).collect()
    }

    #[track_caller]
    fn fail(&self, claim: &str) -> ! {
        let stdout = String::from_utf8_lossy(&self.stdout);
        let short: String = stdout.chars().take(2000).collect();
        let stderr: String = self.stderr.chars().take(4000).collect();
        panic!(
            "{}\nshould have: {claim}\nended with {:?}, signal {:?}, after {:?}\n--- output\n{short}\n--- messages\n{stderr}",
            self.text, self.code, self.signal, self.took
        );
    }
}
