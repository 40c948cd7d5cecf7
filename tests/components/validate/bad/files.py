"""Files that are no csv, not the csv asked for, or cut."""

import gzip
import os

from components.validate.source import GENUINE_MD5
from tests.components.validate.bad.make import HEADER, ROWS, VALID, Bad, icml, png, zipped

BAD = {
    "nothing_there": Bad(
        lambda path: None,
        "data set data: expected a csv or a folder, found nothing there.\n"
        "Fetch FER2013: make data. Or correct data.path in params.yaml.",
    ),
    "special_file": Bad(
        os.mkfifo,
        "data set data: expected a csv or a folder, received neither.\nCorrect data.path in params.yaml.",
    ),
    "empty_file": Bad(
        "",
        "data set data: expected the official csv, received an empty file.\nFetch the official csv: make data",
    ),
    "empty_file_for_the_genuine": Bad(
        "",
        "data set data: expected the official csv, received an empty file.\nFetch it again: dvc pull data.dvc --force",
        md5=GENUINE_MD5,
    ),
    "header_only": Bad(
        f"{HEADER}\n",
        "data set data: expected images in each of Training, PublicTest and PrivateTest, received "
        "Training 0, PublicTest 0, PrivateTest 0.\n"
        "Use a data set with all three: make data fetches the official csv.",
    ),
    "no_header": Bad(
        "\n".join([*ROWS, ""]),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received '3,7 7 7 "
        "7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 '... (a row of data: the header is "
        "missing).\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "wrong_header": Bad(
        VALID.replace(HEADER, "label,image,split"),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received "
        "'label,image,split'.\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "header_twice_a_column": Bad(
        VALID.replace(HEADER, "emotion,emotion,Usage"),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received "
        "'emotion,emotion,Usage' (pixels is missing).\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "header_without_usage": Bad(
        VALID.replace(HEADER, "emotion,pixels"),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received "
        "'emotion,pixels' (Usage is missing).\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "header_with_another_column": Bad(
        VALID.replace(HEADER, HEADER + ",id"),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received "
        "'emotion,pixels,Usage,id' (a column too many).\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "another_csv": Bad(
        "a,b\n1,2\n",
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received 'a,b'.\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "cut_within_the_pixels": Bad(
        VALID[:-1_000],
        "data set data: 2 whole rows (the last row, line 4, ends after 1,810 of 2,304 pixels).\n"
        "The file was cut short. Copy it again, or fetch the official csv: make data",
    ),
    "cut_within_the_usage": Bad(
        VALID[:-5],
        "data set data: 2 whole rows (the last row, line 4, ends within column Usage).\n"
        "The file was cut short. Copy it again, or fetch the official csv: make data",
    ),
    "cut_within_the_label_of_the_genuine": Bad(
        VALID[: -len(ROWS[2])],
        "data set data: 2 whole rows, expected 35,887 (the last row, line 4, ends within column "
        "emotion).\n"
        "The file was cut short. Fetch it again: dvc pull data.dvc --force",
        md5=GENUINE_MD5,
    ),
    "cut_icml_face_data": Bad(
        icml(VALID)[:-1_000],
        "data set data: 2 whole rows (the last row, line 4, ends after 1,804 of 2,304 pixels).\n"
        "The file was cut short. Copy it again, or fetch the official csv: make data",
    ),
    "cut_and_padded_with_nul": Bad(
        VALID[:-1_000].encode() + bytes(1_000),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 4: expected text, received NUL bytes, as a damaged disk or download leaves them\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "utf_16": Bad(
        VALID.encode("utf-16"),
        "data set data: expected a csv in ASCII, received UTF-16 text.\n"
        "Save it as plain text in UTF-8 without a byte order mark: the csv holds ASCII only.",
    ),
    "utf_16_without_mark": Bad(
        VALID.encode("utf-16-le"),
        "data set data: expected a csv in ASCII, received NUL bytes in its first line.\n"
        "Save it as plain text in UTF-8 without a byte order mark: the csv holds ASCII only.",
    ),
    "utf_8_byte_order_mark": Bad(
        VALID.encode("utf-8-sig"),
        "data set data: expected a csv in ASCII, received a UTF-8 byte order mark at its start.\n"
        "Save it as plain text in UTF-8 without a byte order mark: the csv holds ASCII only.",
    ),
    "semicolons": Bad(
        VALID.replace(",", ";"),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received "
        "'emotion;pixels;Usage'.\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "gzip_archive": Bad(
        gzip.compress(VALID.encode()),
        "data set data: expected a csv in ASCII, received a gzip archive.\n"
        "Unpack it (gunzip, tar -xzf or unzip) and give the csv that is inside.",
    ),
    "zip_archive": Bad(
        zipped(VALID),
        "data set data: expected a csv in ASCII, received a zip archive.\n"
        "Unpack it (gunzip, tar -xzf or unzip) and give the csv that is inside.",
    ),
    "image": Bad(
        png(),
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received "
        "'\\x89PNG'.\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "git_lfs_pointer": Bad(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 301072766\n",
        "data set data, line 1: expected the header emotion,pixels,Usage in any order, received 'version "
        "https://git-lfs.github.com/spec/v1'.\n"
        "Mend the header, or fetch the official csv: make data",
    ),
    "no_public_rows": Bad(
        VALID.replace(f"{ROWS[1]}\n", ""),
        "data set data: expected images in each of Training, PublicTest and PrivateTest, received "
        "Training 1, PublicTest 0, PrivateTest 1.\n"
        "Use a data set with all three: make data fetches the official csv.",
    ),
    "wrong_md5": Bad(
        VALID,
        "data set data: expected md5 00000000000000000000000000000000, received "
        "4e0286f70ad9b047a106f03976123480 with 3 rows.\n"
        "Correct data.md5 in params.yaml. To accept any data, set data.md5 to '' in params.yaml.",
        md5="0" * 32,
    ),
    "not_the_genuine": Bad(
        VALID,
        "data set data: expected md5 f8428a1edbd21e88f42c73edd2a14f95 with 35,887 rows, received "
        "4e0286f70ad9b047a106f03976123480 with 3 rows.\n"
        "Fetch it again: dvc pull data.dvc --force. To accept any data, set data.md5 to '' in "
        "params.yaml.",
        md5=GENUINE_MD5,
    ),
}
