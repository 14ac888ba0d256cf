//! Which variables a prompt takes: those declared, or those that its templates use.

use super::{Content, Variable};
use crate::{
    Result,
    template::{self, Compiled},
};

impl Content {
    /// Sets the variables. Left out, they are derived from the templates: all required, text, or JSON where a
    /// placeholder takes them; plain text has none.
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with a pointer, a line and a column for each problem: a template does
    /// not parse or loads another, or uses a variable that is not declared; or a default does not fit its type.
    pub fn with_variables(mut self, declared: Option<Vec<Variable>>) -> Result<Self> {
        match declared {
            Some(declared) => {
                self.variables = declared;
                Compiled::new(&self)?;
            }
            None => self.variables = template::derive(&self)?,
        }
        Ok(self)
    }
}
