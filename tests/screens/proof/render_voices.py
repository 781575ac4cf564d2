"""`make voices`: screens/words/voices/sentences.toml → one .ogg for each sentence. Needs Debian's
open-jtalk, open-jtalk-mecab-naist-jdic, hts-voice-nitech-jp-atr503-m001 (contrib), flite and vorbis-tools.

The files are committed: a box that speaks needs none of these. Each carries its sentence and licence in its
own comments, by which a test sees that it is up to date.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

VOICES = Path(__file__).resolve().parents[3] / "kiosk" / "screens" / "words" / "voices"
SENTENCES = VOICES / "sentences.toml"
_DICTIONARY = Path("/var/lib/mecab/dic/open-jtalk/naist-jdic")
_JAPANESE = Path("/usr/share/hts-voice/nitech-jp-atr503-m001/nitech_jp_atr503_m001.htsvoice")
RATE, QUALITY = 22_050, 2  #: Hz; oggenc's scale: about 4 kB a second
#: What may be done with a language's files, and whose voice it is.
LICENCES = {
    "ja": "CC BY 3.0; HTS voice NIT ATR503 M001, Nagoya Institute of Technology",
    "en": "CMU Flite licence (BSD style); voice cmu_us_slt, Carnegie Mellon University",
}


def sentences(path: Path = SENTENCES) -> dict[str, dict[str, str]]:
    """Language → name → what is said."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def speak(language: str, text: str, wav: Path) -> None:
    """Let the language's voice say a text; a little slower than it would by itself."""
    if language == "ja":
        voice = ["-x", str(_DICTIONARY), "-m", str(_JAPANESE), "-r", "0.92", "-a", "0.55"]
        command = ["open_jtalk", *voice, "-ow", str(wav)]
        subprocess.run(command, input=text.encode(), check=True)
    else:
        slower = ["--setf", "duration_stretch=1.12"]
        subprocess.run(["flite", "-voice", "slt", *slower, "-t", text, "-o", wav], check=True)


def encode(wav: Path, language: str, text: str, ogg: Path) -> None:
    """One channel, with sentence and licence; the same input gives the same bytes."""
    comments = ["--comment", f"sentence={text}", "--comment", f"license={LICENCES[language]}"]
    how = ["--quiet", "--serial", "1", "--resample", str(RATE), "--quality", str(QUALITY)]
    subprocess.run(["oggenc", *how, *comments, "--output", ogg, wav], check=True)


def main(folder: Path = VOICES) -> int:
    """Render every sentence whose file is missing or says something else; returns the exit code."""
    for language, texts in sentences(folder / SENTENCES.name).items():
        (folder / language).mkdir(exist_ok=True)
        for old in (folder / language).glob("*.ogg"):
            if old.stem not in texts:
                old.unlink()
        for name, text in texts.items():
            ogg = folder / language / f"{name}.ogg"
            if ogg.exists() and says(ogg, text):
                continue
            with tempfile.TemporaryDirectory() as place:
                wav = Path(place) / "spoken.wav"
                speak(language, text, wav)
                encode(wav, language, text, ogg)
            sys.stdout.write(f"{ogg.relative_to(folder)}\n")
    return 0


def says(ogg: Path, text: str) -> bool:
    """Whether a file is the rendering of this very sentence."""
    return f"sentence={text}".encode() in ogg.read_bytes()[:4096]


if __name__ == "__main__":
    sys.exit(main())
