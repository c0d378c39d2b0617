//! A blocking HTTP/1.1 connection, for preparing what is measured and for pushes.
