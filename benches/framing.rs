//! Frames per second in memory, beside tokio-util's `LengthDelimitedCodec`: 100-byte frames, read from
//! 64 KiB as a socket delivers them. Read the ratio; the absolute figures are this machine's.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netlab::framing::{Content, Decoder, Encoder, Framing};
use tokio_util::codec::{Decoder as _, Encoder as _, LengthDelimitedCodec};

const PAYLOAD: [u8; 100] = [b'x'; 100];
const FRAMES: usize = 640;
const LIMIT: usize = 1 << 16;

fn tokio_codec(prefix: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().length_field_length(prefix).max_frame_length(LIMIT).new_codec()
}

fn encode(framing: Framing, out: &mut Vec<u8>) {
    let encoder = Encoder::new(framing, LIMIT);
    for _ in 0..FRAMES {
        encoder.encode(Content::Binary, black_box(&PAYLOAD[..]), out).expect("a small frame");
    }
}

fn framing(criterion: &mut Criterion) {
    for (framing, prefix) in [(Framing::U16, 2), (Framing::U32, 4)] {
        let mut group = criterion.benchmark_group(framing.name());
        group.throughput(Throughput::Elements(FRAMES as u64));
        let mut wire = Vec::new();
        encode(framing, &mut wire);

        let mut decoder = Decoder::new(framing, LIMIT);
        group.bench_function("decode/netlab", |b| {
            b.iter(|| {
                let (mut at, mut bytes) = (0, 0);
                while let Some(frame) = decoder.next_frame(black_box(&wire), &mut at).expect("a small frame")
                {
                    bytes += frame.payload.len();
                }
                bytes
            });
        });
        let mut codec = tokio_codec(prefix);
        let mut buffer = BytesMut::new();
        group.bench_function("decode/tokio-util", |b| {
            b.iter(|| {
                // As a socket would: the bytes are copied in once, and frames are cut out of them.
                buffer.extend_from_slice(black_box(&wire));
                let mut bytes = 0;
                while let Some(frame) = codec.decode(&mut buffer).expect("a small frame") {
                    bytes += frame.len();
                }
                bytes
            });
        });

        let mut out = Vec::new();
        group.bench_function("encode/netlab", |b| {
            b.iter(|| {
                out.clear();
                encode(framing, &mut out);
                out.len()
            });
        });
        let mut out = BytesMut::new();
        // Its encoder takes the payload over, and what a program has received or built lies on the heap: keeping it
        // for the next receiver counts a reference.
        let payload = Bytes::copy_from_slice(&PAYLOAD);
        group.bench_function("encode/tokio-util", |b| {
            b.iter(|| {
                out.clear();
                for _ in 0..FRAMES {
                    codec.encode(black_box(payload.clone()), &mut out).expect("a small frame");
                }
                out.len()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, framing);
criterion_main!(benches);
