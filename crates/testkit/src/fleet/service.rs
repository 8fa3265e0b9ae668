//! Which services there are.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// One of Souk's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Accounts and sign-ins.
    Auth,
    /// Catalogue and stock.
    Product,
    /// Carts and coupons.
    Cart,
    /// Orders.
    Order,
    /// Payments.
    Payment,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Product, Self::Cart, Self::Order, Self::Payment];

    /// Its name, which is that of its program too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Product => "product",
            Self::Cart => "cart",
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }

    /// What its paths begin with.
    pub fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Auth => &["/api/auth"],
            Self::Product => &["/api/products", "/api/categories"],
            Self::Cart => &["/api/cart"],
            Self::Order => &["/api/orders"],
            Self::Payment => &["/api/payments"],
        }
    }

    /// The service that serves this path.
    pub fn of_path(path: &str) -> Option<Self> {
        let serves = |prefix: &&str| {
            let rest = path.strip_prefix(*prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        Self::ALL.into_iter().find(|service| service.paths().iter().any(&serves))
    }

    /// Its program: where `SOUK_BIN_DIR` says, else where the program that runs now was built.
    pub(crate) fn binary(self) -> io::Result<PathBuf> {
        let name = self.name();
        let found = match std::env::var_os("SOUK_BIN_DIR") {
            Some(folder) => Some(PathBuf::from(folder).join(name)).filter(|it| it.is_file()),
            None => beside(&std::env::current_exe()?, name),
        };
        found.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "it is not built: run `cargo build --workspace`",
            )
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A test runs in `target/<profile>/deps`, the services lie one folder up.
fn beside(exe: &Path, name: &str) -> Option<PathBuf> {
    exe.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|it| it.is_file())
}

#[cfg(test)]
mod tests {
    use super::Service;

    #[test]
    fn a_path_belongs_to_one_service() {
        assert_eq!(Service::of_path("/api/cart/items/MUG"), Some(Service::Cart));
        assert_eq!(Service::of_path("/api/categories?limit=3"), Some(Service::Product));
        assert_eq!(Service::of_path("/api/payments"), Some(Service::Payment));
        assert_eq!(Service::of_path("/api/carts"), None);
    }
}
