//! What a picture is, by its bytes and not by its name: PNG or WebP, so wide and so high.

/// Most bytes of a picture.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Most pixels of a side.
const MAX_SIDE: u32 = 4096;

/// The kind of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PNG.
    Png,
    /// WebP.
    WebP,
}

impl Kind {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }
}

/// A picture that may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Kind.
    pub kind: Kind,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// What these bytes are.
///
/// # Errors
/// A sentence that says what is taken.
pub fn look(bytes: &[u8]) -> Result<Picture, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!(
            "A picture has at most {} KiB; this one has {}.",
            MAX_BYTES / 1024,
            bytes.len() / 1024
        ));
    }
    let picture = png(bytes).or_else(|| webp(bytes));
    let picture = picture.ok_or("This is neither a PNG nor a WebP picture. Save it as one of these.")?;
    let side = 1..=MAX_SIDE;
    if !side.contains(&picture.width) || !side.contains(&picture.height) {
        let (width, height) = (picture.width, picture.height);
        return Err(format!(
            "A picture is at most {MAX_SIDE} pixels wide and high; this one has {width} x {height}."
        ));
    }
    Ok(picture)
}

fn png(bytes: &[u8]) -> Option<Picture> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    // The first chunk is the header: its length, its name, width and height.
    let header = rest.strip_prefix(b"\0\0\0\x0dIHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?));
    Some(Picture { kind: Kind::Png, width: number(0)?, height: number(4)? })
}

fn webp(bytes: &[u8]) -> Option<Picture> {
    let body = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WEBP")?;
    let (name, data) = (body.get(..4)?, body.get(8..)?);
    let two = |at: usize| Some(u32::from(u16::from_le_bytes(*data.get(at..)?.first_chunk()?)));
    let three = |at: usize| {
        let [a, b, c] = *data.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes([a, b, c, 0]))
    };
    let (width, height) = match name {
        b"VP8X" => (three(4)? + 1, three(7)? + 1),
        b"VP8 " => {
            data.get(3..)?.strip_prefix(b"\x9d\x01\x2a")?;
            (two(6)? & 0x3fff, two(8)? & 0x3fff)
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(*data.strip_prefix(b"\x2f")?.first_chunk()?);
            ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        }
        _ => return None,
    };
    Some(Picture { kind: Kind::WebP, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    fn webp_of(name: &[u8], data: &[u8]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP", name, b"\0\0\0\0", data].concat()
    }

    #[test]
    fn pictures_are_told_by_their_bytes() {
        let picture = |kind, width, height| Ok(Picture { kind, width, height });
        assert_eq!(look(&png_of(1280, 800)), picture(Kind::Png, 1280, 800));
        let extended = webp_of(b"VP8X", &[0, 0, 0, 0, 0xff, 4, 0, 0x1f, 3, 0]);
        assert_eq!(look(&extended), picture(Kind::WebP, 1280, 800));
        let lossy = webp_of(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, 0, 5, 0x20, 3]);
        assert_eq!(look(&lossy), picture(Kind::WebP, 1280, 800));
        let bits = (1279u32 | 799 << 14).to_le_bytes();
        assert_eq!(look(&webp_of(b"VP8L", &[&[0x2f][..], &bits].concat())), picture(Kind::WebP, 1280, 800));
    }

    #[test]
    fn everything_else_is_refused_with_what_to_do() {
        for bytes in [
            &b""[..],
            b"<svg onload=1>",
            b"GIF89a",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF....WEBPVP8X",
            b"\xff\xd8\xff",
        ] {
            assert!(look(bytes).is_err_and(|why| why.contains("Save it")), "{bytes:?}");
        }
        assert!(look(&png_of(0, 10)).is_err() && look(&png_of(5000, 10)).is_err());
        let mut large = png_of(10, 10);
        large.resize(MAX_BYTES + 1, 0);
        assert!(look(&large).is_err_and(|why| why.contains("2048 KiB")));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
            let _ = look(&bytes);
            let _ = look(&[b"RIFF\0\0\0\0WEBP", bytes.as_slice()].concat());
        }
    }
}
