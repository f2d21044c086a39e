// Length-prefixed echo in Rust's standard library, a thread for each client.
// exercise: framed-echo-u32
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let mut head = [0; 4];
        stream.read_exact(&mut head)?;
        let mut payload = Vec::new();
        let size = u64::from(u32::from_be_bytes(head));
        if (&mut stream).take(size).read_to_end(&mut payload)? as u64 != size {
            return Ok(());
        }
        stream.write_all(&head)?;
        stream.write_all(&payload)?;
    }
}

fn main() {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(5000u16);
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(stream));
    }
}
