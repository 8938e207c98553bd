//! Names inside the data of records, of types that are kept as they are on the wire.

use crate::wire::rtype;

/// What the data of types with names inside begins with: octets, then character strings, then names.
pub fn names_inside(rtype: u16) -> Option<(usize, usize, usize)> {
    Some(match rtype {
        // MD, MF, MB, MG, MR, DNAME
        3 | 4 | 7 | 8 | 9 | 39 => (0, 0, 1),
        // MINFO, RP
        14 | 17 => (0, 0, 2),
        // MX, AFSDB, RT, KX
        rtype::MX | 18 | 21 | 36 => (2, 0, 1),
        // PX
        26 => (2, 0, 2),
        rtype::SRV => (6, 0, 1),
        // NAPTR
        35 => (4, 3, 1),
        _ => return None,
    })
}
