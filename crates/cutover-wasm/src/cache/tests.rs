//! Hit, corrupt, incompatible, unsafe folder.
