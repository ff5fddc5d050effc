import hashlib
import random
import re

from models.secrets import digest, new_secret


def test_a_secret_is_20_letters_and_digits_and_its_hint_the_last_4() -> None:
    secret = new_secret()
    assert re.fullmatch(r"[A-Za-z0-9]{20}", secret.text)
    assert secret.hint == secret.text[16:]


def test_what_is_kept_of_a_secret_is_a_digest_that_finds_it_again() -> None:
    secret = new_secret()
    assert secret.digest == digest(secret.text) == hashlib.sha256(secret.text.encode()).hexdigest()
    assert secret.text not in secret.digest


def test_two_secrets_are_never_alike() -> None:
    assert len({new_secret().text for _ in range(1_000)}) == 1_000


def test_all_62_characters_are_used() -> None:
    assert len({character for _ in range(500) for character in new_secret().text}) == 62


def test_a_secret_cannot_be_repeated_by_who_knows_the_seed_of_pythons_random_numbers() -> None:
    random.seed(1)
    first = new_secret()
    random.seed(1)
    assert new_secret() != first
