//! The packed form of an event: two words, whatever the event.
//!
//! Word 0, from bit 0: kind 6 bits, CPU 5, task 8, mm 5, argument 40. Word 1: the payload. A page
//! table primitive fills both: the argument is its virtual page number, the payload its entry with
//! the number of entries above bit 54, and its index is part of the kind.

use super::PteOp;

/// One packed event.
pub(super) type Words = [u64; 2];

/// Kinds below [`PTE_KIND`]; from there on the kind is a page table primitive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Section,
    Call,
    Store,
    Hook,
    Effect,
    EffectN,
    Warn,
    Return,
    Context,
    Note,
    Pending,
    End,
    Switch,
    Hazard,
    Away,
    Back,
    Pte(PteOp),
}

const PLAIN: [Kind; 16] = [
    Kind::Section,
    Kind::Call,
    Kind::Store,
    Kind::Hook,
    Kind::Effect,
    Kind::EffectN,
    Kind::Warn,
    Kind::Return,
    Kind::Context,
    Kind::Note,
    Kind::Pending,
    Kind::End,
    Kind::Switch,
    Kind::Hazard,
    Kind::Away,
    Kind::Back,
];
const PTE_KIND: u64 = 32;
/// Where the bits of an argument begin in word 0.
const ARG_SHIFT: u32 = 24;
/// The bit of the argument of a return that says whether the mode is active, above the call.
pub(super) const ACTIVE_BIT: u32 = u32::BITS;

const _: () = assert!(PLAIN.len() as u64 <= PTE_KIND, "a plain kind looks like a primitive");
const _: () = assert!(PTE_KIND + PteOp::ALL.len() as u64 <= 1 << 6, "a kind has six bits");
const _: () = assert!(ARG_SHIFT + ACTIVE_BIT < u64::BITS, "a return fits its argument");

/// Where an event was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) cpu: u8,
    pub(super) task: u8,
}

impl Kind {
    #[inline]
    const fn code(self) -> u64 {
        match self {
            Self::Section => 0,
            Self::Call => 1,
            Self::Store => 2,
            Self::Hook => 3,
            Self::Effect => 4,
            Self::EffectN => 5,
            Self::Warn => 6,
            Self::Return => 7,
            Self::Context => 8,
            Self::Note => 9,
            Self::Pending => 10,
            Self::End => 11,
            Self::Switch => 12,
            Self::Hazard => 13,
            Self::Away => 14,
            Self::Back => 15,
            Self::Pte(op) => PTE_KIND + op as u64,
        }
    }
}

/// Packs word 0.
#[inline]
pub(super) const fn word0(kind: Kind, place: Place, mm: u8, arg: u64) -> u64 {
    kind.code()
        | (place.cpu as u64 & 0x1f) << 6
        | (place.task as u64) << 11
        | (mm as u64 & 0x1f) << 19
        | arg << ARG_SHIFT
}

/// Reads the kind of word 0.
pub(super) fn kind(word0: u64) -> Kind {
    let code = word0 & 0x3f;
    if code >= PTE_KIND {
        Kind::Pte(PteOp::ALL[(code - PTE_KIND) as usize])
    } else {
        PLAIN[code as usize]
    }
}

/// Reads the place of word 0.
pub(super) const fn place(word0: u64) -> Place {
    Place { cpu: (word0 >> 6) as u8 & 0x1f, task: (word0 >> 11) as u8 }
}

/// Reads the mm of word 0.
pub(super) const fn mm(word0: u64) -> u8 {
    (word0 >> 19) as u8 & 0x1f
}

/// Reads the argument of word 0.
pub(super) const fn arg(word0: u64) -> u64 {
    word0 >> ARG_SHIFT
}

/// The 40-bit argument for a page-aligned address: 36 bits of page number under 4 bits that stand
/// for its top 16 bits, which are 0 (user), 0xffff, or 0xc000 to 0xc00d (powerpc).
#[inline]
pub(super) const fn vpn(addr: u64) -> u64 {
    let region = match addr >> 48 {
        0 => 0,
        0xffff => 1,
        top => (top & 0xf) + 2,
    };
    region << 36 | addr >> 12 & 0xf_ffff_ffff
}

/// The address of a 40-bit argument.
pub(super) const fn addr(vpn: u64) -> u64 {
    let top = match vpn >> 36 {
        0 => 0,
        1 => 0xffff,
        region => 0xc000 + region - 2,
    };
    top << 48 | vpn << 12 & 0xffff_ffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_fields_apart() {
        let at = Place { cpu: 31, task: 255 };
        let w = word0(Kind::Pte(PteOp::write), at, 31, vpn(0xffff_8000_1234_5000));
        assert!(kind(w) == Kind::Pte(PteOp::write));
        assert_eq!((place(w), mm(w)), (at, 31));
        for address in [0xffff_8000_1234_5000, 0x7fff_ffff_f000, 0xc008_0000_0001_0000] {
            assert_eq!(addr(vpn(address)), address);
        }
        assert_eq!(arg(w), vpn(0xffff_8000_1234_5000));
        for (code, plain) in PLAIN.iter().enumerate() {
            assert!(plain.code() == code as u64 && kind(code as u64) == *plain);
        }
        for (index, op) in PteOp::ALL.iter().enumerate() {
            assert_eq!(*op as usize, index);
        }
    }
}
