"""Folders that are not the folder layout."""

from components.validate.source import GENUINE_MD5
from tests.components.validate.bad.make import Bad, folder, only_folders, png

BAD = {
    "folder_with_md5": Bad(
        folder({}),
        "data set data: expected a csv with md5 f8428a1edbd21e88f42c73edd2a14f95, received a folder, "
        "which has none.\n"
        "To accept any data, set data.md5 to '' in params.yaml.",
        md5=GENUINE_MD5,
    ),
    "folder_empty": Bad(
        only_folders(),
        "data set data: expected folders Training, PublicTest and PrivateTest, received an empty folder.\n"
        "Add what is missing, or use the official csv: make data",
    ),
    "folder_without_private": Bad(
        only_folders("Training", "PublicTest"),
        "data set data: expected folders Training, PublicTest and PrivateTest, received PublicTest, "
        "Training.\n"
        "Add what is missing, or use the official csv: make data",
    ),
    "folder_without_images": Bad(
        only_folders("Training", "PublicTest", "PrivateTest"),
        "data set data: expected images in each of Training, PublicTest and PrivateTest, received "
        "Training 0, PublicTest 0, PrivateTest 0.\n"
        "Use a data set with all three: make data fetches the official csv.",
    ),
    "folder_with_test": Bad(
        only_folders("train", "test"),
        "data set data: expected folders Training, PublicTest and PrivateTest, received test.\n"
        "Copies with such a folder mix PublicTest, which decides, with PrivateTest, which judges: no "
        "figure on it can be compared.\n"
        "Use the official csv, which keeps them apart: make data",
    ),
    "folder_with_validation": Bad(
        only_folders("train", "validation"),
        "data set data: expected folders Training, PublicTest and PrivateTest, received validation.\n"
        "Copies with such a folder mix PublicTest, which decides, with PrivateTest, which judges: no "
        "figure on it can be compared.\n"
        "Use the official csv, which keeps them apart: make data",
    ),
    "folder_of_another_split": Bad(
        folder({"Extra/happy/1.png": png()}),
        "data set data: expected a csv, or one folder each for Training, PublicTest and PrivateTest; "
        "Extra is neither.\n"
        "Move it away, or use the official csv: make data",
    ),
    "folder_twice_a_split": Bad(
        folder({"train/happy/1.png": png()}),
        "data set data: expected a csv, or one folder each for Training, PublicTest and PrivateTest; "
        "train is a second folder for Training.\n"
        "Move it away, or use the official csv: make data",
    ),
    "folder_of_another_expression": Bad(
        folder({"Training/bored/1.png": png()}),
        "data set data: 1 fault:\n"
        "  Training/bored: expected one of the folders angry, disgust, fear, happy, sad, surprise, "
        "neutral, received 'bored'\n"
        "Mend the files named, or use the official csv: make data",
    ),
    "folder_with_another_kind_of_file": Bad(
        folder({"Training/happy/1.txt": b"happy"}),
        "data set data: 1 fault:\n"
        "  Training/happy/1.txt: expected a .png or .jpg file, received another kind\n"
        "Mend the files named, or use the official csv: make data",
    ),
    "folder_with_an_image_of_another_size": Bad(
        folder({"Training/happy/2.png": png(size=(50, 48))}),
        "data set data: 1 fault:\n"
        "  Training/happy/2.png: expected a grey image of 48 x 48 pixels, received a grey one of 50 x 48\n"
        "Mend the files named, or use the official csv: make data",
    ),
    "folder_with_a_colour_image": Bad(
        folder({"Training/happy/2.png": png("RGB")}),
        "data set data: 1 fault:\n"
        "  Training/happy/2.png: expected a grey image of 48 x 48 pixels, received a colour one of 48 x "
        "48\n"
        "Mend the files named, or use the official csv: make data",
    ),
    "folder_with_a_cut_image": Bad(
        folder({"Training/happy/2.png": png()[:60]}),
        "data set data: 1 fault:\n"
        "  Training/happy/2.png: expected a grey image of 48 x 48 pixels, received a file that is "
        "damaged or no image\n"
        "Mend the files named, or use the official csv: make data",
    ),
    "folder_with_text_for_an_image": Bad(
        folder({"Training/happy/2.jpg": b"happy"}),
        "data set data: 1 fault:\n"
        "  Training/happy/2.jpg: expected a grey image of 48 x 48 pixels, received a file that is "
        "damaged or no image\n"
        "Mend the files named, or use the official csv: make data",
    ),
}
