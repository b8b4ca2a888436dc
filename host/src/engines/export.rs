//! An engine's data as a tar file of JSON lines, a file per table.

use std::io::{self, Write};

use axum::body::Body;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::mpsc;

use super::{EngineFault, entity::engine, service::Engines};
use crate::ctx::Ctx;

/// Bytes of one table in an export.
const TABLE: u64 = 8 << 30;

impl Engines {
    /// Stream every table of an engine. An uninstall with purge is allowed for a day after it.
    ///
    /// # Errors
    /// [`EngineFault::Unknown`], or when the tables cannot be read.
    pub async fn export(&self, ctx: &Ctx, id: &str) -> Result<Body, EngineFault> {
        ctx.require("engines:install")?;
        let entry = self.known(id)?;
        let tables = self.0.database.tables(id).await?;
        let (pieces, stream) = mpsc::channel::<io::Result<Bytes>>(16);
        let engines = self.clone();
        let id = id.to_owned();
        let ctx = ctx.clone();
        self.0.core.tasks.spawn(async move {
            let mut counts = serde_json::Map::new();
            for table in tables {
                match engines.export_table(&id, &table, &pieces).await {
                    Ok(rows) => counts.insert(table, json!(rows)),
                    Err(error) => {
                        tracing::error!(engine.id = %id, table, %error, "an export failed");
                        let _ = pieces.send(Err(io::Error::other("the export failed"))).await;
                        return;
                    }
                };
            }
            let manifest = json!({"engine": id, "tables": counts}).to_string();
            let told = async {
                for piece in tar_entry("export.json", manifest.len() as u64, Some(manifest.as_bytes())) {
                    pieces.send(Ok(piece)).await.ok()?;
                }
                pieces.send(Ok(Bytes::from_static(&[0; 1024]))).await.ok()
            };
            if told.await.is_none() {
                return;
            }
            // Whoever asked has read all of it: the last piece was taken from a short queue.
            let _ops = entry.ops.lock().await;
            let row = engine::Model { exported_at: Some(engines.0.core.clock.now()), ..entry.row() };
            if let Err(error) = engines.keep(&entry, row).await {
                tracing::error!(%error, "an export was not noted");
            }
            engines.tell(&ctx, "engine.exported", &entry.id, json!({"tables": counts})).await;
        });
        Ok(Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(stream)))
    }

    /// A tar entry needs its size first, so a table goes through a file.
    async fn export_table(
        &self,
        id: &str,
        table: &str,
        pieces: &mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<u64, EngineFault> {
        let (path, file) = self.0.files.incoming()?;
        let result = self.export_through(id, table, file, &path, pieces).await;
        let _ = tokio::fs::remove_file(&path).await;
        result
    }

    async fn export_through(
        &self,
        id: &str,
        table: &str,
        file: std::fs::File,
        path: &std::path::Path,
        pieces: &mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<u64, EngineFault> {
        use tokio::io::AsyncReadExt;
        let mut out = io::BufWriter::new(file);
        let mut written = 0u64;
        let mut sink = |line: &[u8]| {
            written += line.len() as u64;
            if written > TABLE {
                return Err(io::Error::other("the table is too large for an export"));
            }
            out.write_all(line)
        };
        let rows = self.0.database.export(id, table, &mut sink).await?;
        out.flush()?;
        let gone = |_| EngineFault::Failed("Nobody reads the export any longer.".into());
        for piece in tar_entry(&format!("{table}.jsonl"), written, None) {
            pieces.send(Ok(piece)).await.map_err(gone)?;
        }
        let mut file = tokio::fs::File::open(path).await?;
        loop {
            let mut piece = vec![0; 256 << 10];
            let read = file.read(&mut piece).await?;
            if read == 0 {
                break;
            }
            piece.truncate(read);
            pieces.send(Ok(piece.into())).await.map_err(gone)?;
        }
        pieces.send(Ok(padding(written))).await.map_err(gone)?;
        Ok(rows)
    }
}

/// Zeros up to the next block of 512 bytes.
fn padding(size: u64) -> Bytes {
    Bytes::from(vec![0; usize::try_from((512 - size % 512) % 512).unwrap_or(0)])
}

/// The header of a plain file in a tar, and its content with padding when it is known.
fn tar_entry(name: &str, size: u64, content: Option<&[u8]>) -> Vec<Bytes> {
    let mut block = [0u8; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, &name.as_bytes()[..name.len().min(99)]);
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut pieces = vec![Bytes::copy_from_slice(&block)];
    if let Some(content) = content {
        pieces.push(Bytes::copy_from_slice(content));
        pieces.push(padding(size));
    }
    pieces
}
