//! Makes corpora: `corpus node FOLDER OUT` from recordings, `corpus farm SERIES BODIES SEED OUT` made up.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use series_spikes::corpus::{farm, put, unpack};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["node", folder, out] => {
            let n = unpack(Path::new(folder), &mut BufWriter::new(File::create(out)?))?;
            println!("{n} bodies");
        }
        ["farm", series, bodies, seed, out] => {
            let number = |s: &str| s.parse::<usize>().map_err(io::Error::other);
            let mut file = BufWriter::new(File::create(out)?);
            for body in farm(number(series)?, number(bodies)?, number(seed)? as u64) {
                put(&mut file, &body)?;
            }
        }
        _ => println!("corpus node FOLDER OUT | corpus farm SERIES BODIES SEED OUT"),
    }
    Ok(())
}
