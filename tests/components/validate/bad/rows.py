"""Csv files with faulty rows."""

from components.validate.source import GENUINE_MD5
from tests.components.validate.bad.make import HEADER, PIXELS, ROWS, VALID, Bad, line_2, pixels

BAD = {
    "header_again_in_the_data": Bad(
        VALID.replace(ROWS[1], HEADER),
        "data set data: 3 faults (line 1 is the header):\n"
        "  line 3, column emotion: expected an integer from 0 to 6, received 'emotion'\n"
        "  line 3, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received 'pixels' as pixel 1\n"
        "  line 3, column Usage: expected Training, PublicTest or PrivateTest, received 'Usage'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "row_without_usage": Bad(
        VALID.replace(",PublicTest", ""),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 3: expected 3 fields, received 2 ('0,7 7 7 7 7 7 7 7 7 '...)\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "row_with_a_field_more": Bad(
        line_2(usage="Training,happy"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2: expected 3 fields, received 4 ('3,7 7 7 7 7 7 7 7 7 '...)\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "commas_between_pixels": Bad(
        line_2(pixels=PIXELS.replace(" ", ",")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2: expected 3 fields, received 2,306 ('3,7,7,7,7,7,7,7,7,7,'...)\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "a_pixel_short": Bad(
        line_2(pixels=PIXELS[2:]),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received 2,303 pixels\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "a_pixel_short_of_the_genuine": Bad(
        line_2(pixels=PIXELS[2:]),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received 2,303 pixels\n"
        "Fetch it again: dvc pull data.dvc --force",
        md5=GENUINE_MD5,
    ),
    "a_pixel_more": Bad(
        line_2(pixels=PIXELS + " 7"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received 2,305 pixels\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "pixel_above_255": Bad(
        line_2(pixels=pixels("256")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received '256' as pixel 1\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "pixel_far_above_255": Bad(
        line_2(pixels=pixels("18446744073709551623")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received '18446744073709551623' as pixel 1\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "negative_pixel": Bad(
        line_2(pixels=pixels("-1")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received '-1' as pixel 1\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "float_pixel": Bad(
        line_2(pixels=pixels("7.0")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received '7.0' as pixel 1\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "word_for_a_pixel": Bad(
        line_2(pixels=pixels("nan")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received 'nan' as pixel 1\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "doubled_space": Bad(
        line_2(pixels=pixels("7 ")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received nothing as pixel 2\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "tab_for_a_space": Bad(
        line_2(pixels=PIXELS.replace(" ", "\t", 1)),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received '7\\t7' as pixel 1\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "no_pixels": Bad(
        line_2(pixels=""),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received nothing\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "label_7": Bad(
        line_2(emotion="7"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column emotion: expected an integer from 0 to 6, received '7'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "label_minus_1": Bad(
        line_2(emotion="-1"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column emotion: expected an integer from 0 to 6, received '-1'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "label_float": Bad(
        line_2(emotion="3.0"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column emotion: expected an integer from 0 to 6, received '3.0'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "label_word": Bad(
        line_2(emotion="happy"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column emotion: expected an integer from 0 to 6, received 'happy'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "label_empty": Bad(
        line_2(emotion=""),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column emotion: expected an integer from 0 to 6, received nothing\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "usage_unknown": Bad(
        line_2(usage="Test"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column Usage: expected Training, PublicTest or PrivateTest, received 'Test'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "usage_lower_case": Bad(
        line_2(usage="training"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column Usage: expected Training, PublicTest or PrivateTest, received 'training'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "usage_empty": Bad(
        line_2(usage=""),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column Usage: expected Training, PublicTest or PrivateTest, received nothing\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "three_faults_in_a_row": Bad(
        line_2(emotion="9", pixels=pixels("300"), usage="train"),
        "data set data: 3 faults (line 1 is the header):\n"
        "  line 2, column emotion: expected an integer from 0 to 6, received '9'\n"
        "  line 2, column pixels: expected 2,304 integers from 0 to 255 with single spaces between them, "
        "received '300' as pixel 1\n"
        "  line 2, column Usage: expected Training, PublicTest or PrivateTest, received 'train'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "more_faults_than_are_shown": Bad(
        VALID + f"7,{PIXELS},Training\n" * 1_200,
        "data set data: 1,200 faults (line 1 is the header):\n"
        "  line 5, column emotion: expected an integer from 0 to 6, received '7'\n"
        "  line 6, column emotion: expected an integer from 0 to 6, received '7'\n"
        "  line 7, column emotion: expected an integer from 0 to 6, received '7'\n"
        "  line 8, column emotion: expected an integer from 0 to 6, received '7'\n"
        "  line 9, column emotion: expected an integer from 0 to 6, received '7'\n"
        "  and 1,195 more\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "blank_line": Bad(
        VALID.replace("\n", "\n\n", 1),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2: expected a row, received a blank line\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "blank_line_at_the_end": Bad(
        VALID + "\n",
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 5: expected a row, received a blank line\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "nul_in_a_row": Bad(
        line_2(pixels=pixels("\0")),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2: expected text, received NUL bytes, as a damaged disk or download leaves them\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
    "latin_1": Bad(
        line_2(usage="Entra\u00eenement").encode("latin-1"),
        "data set data: 1 fault (line 1 is the header):\n"
        "  line 2, column Usage: expected Training, PublicTest or PrivateTest, received 'Entraînement'\n"
        "Mend the lines named, or fetch the official csv: make data",
    ),
}
