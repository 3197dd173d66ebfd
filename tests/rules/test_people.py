"""People: whom a written name means, and what is said when it means nobody."""

import pytest

from rules.people import AmbiguousPersonError, People, Person, UnknownPersonError

ANA = Person("ana.silva@example.com", "Ana Silva", "ana.silva@example.com", "UANA")
ANNE = Person("anne@example.com", "Anne Meyer", "anne@example.com", "UANNE")
JOSE = Person("jose@example.com", "José Núñez", "jose@example.com", "@jose.n")
GUEST = Person("slack:UGUEST", "Guest", slack="UGUEST")

PEOPLE = People([ANA, ANNE, JOSE, GUEST])


@pytest.mark.parametrize(
    ("written", "person"),
    [
        ("<@UANA>", ANA),
        ("<@UANA|ana>", ANA),
        ("ana.silva@example.com", ANA),
        ("  ANA.SILVA@Example.com ", ANA),
        ("@ana.silva", ANA),
        ("Ana Silva", ANA),
        ("ana silva", ANA),
        ("Ana", ANA),
        ("José Núñez", JOSE),
        ("jose nunez", JOSE),
        ("@jose.n", JOSE),
        ("slack:UGUEST", GUEST),
    ],
)
def test_a_name_in_any_form_finds_its_person(written: str, person: Person) -> None:
    assert PEOPLE.find(written) == person


def test_a_beginning_that_fits_several_is_refused_with_their_names() -> None:
    with pytest.raises(AmbiguousPersonError, match='"An" fits Ana Silva and Anne Meyer'):
        PEOPLE.find("An")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Ane Meier", 'nobody is called "Ane Meier". Nearest: "Anne Meyer".'),
        ("xyzzy", 'nobody is called "xyzzy". Write their e-mail, or add them to people.'),
        ("", 'nobody is called "". Write their e-mail, or add them to people.'),
        ("@", 'nobody is called "@". Write their e-mail, or add them to people.'),
        ("<@>", 'nobody is called "<@>". Write their e-mail, or add them to people.'),
        ("<@UANA>:", 'nobody is called "<@UANA>:". Write their e-mail, or add them to people.'),
        (
            "new@example.com,",
            'nobody is called "new@example.com,". Write their e-mail, or add them to people.',
        ),
        ('"@ana', 'nobody is called ""@ana". Nearest: "Ana Silva".'),
        ("#1@ana", 'nobody is called "#1@ana". Nearest: "Ana Silva".'),
        (
            "<!subteam^S1|@data>",
            'nobody is called "<!subteam^S1|@data>". Write their e-mail, or add them to people.',
        ),
    ],
)
def test_a_name_of_nobody_is_refused_with_the_nearest(written: str, said: str) -> None:
    with pytest.raises(UnknownPersonError) as caught:
        PEOPLE.find(written)
    assert str(caught.value) == said


def test_an_address_nobody_has_is_a_new_person() -> None:
    assert PEOPLE.find("New@Example.com") == Person(
        "new@example.com", "New", email="new@example.com"
    )


def test_a_mention_nobody_has_is_a_new_person() -> None:
    assert PEOPLE.find("<@UNEW>") == Person("slack:UNEW", "UNEW", slack="UNEW")


def test_a_key_always_gives_a_person() -> None:
    assert PEOPLE.by_key(ANA.key) is ANA
    assert PEOPLE.by_key("slack:UX").name == "UX"
    assert PEOPLE.by_slack("UANNE") is ANNE
    assert PEOPLE.by_slack("UNONE") is None


def test_no_user_id_is_nobodys() -> None:
    assert People([Person("dee@example.com", "Dee")]).by_slack("") is None
    assert list(PEOPLE) == [ANA, ANNE, JOSE, GUEST]


TWIN = Person("ana.s2@example.com", "Ana Silva", "ana.s2@example.com", "@jose")


def test_a_name_that_two_people_have_is_refused_with_their_addresses() -> None:
    people = People([*PEOPLE, TWIN])
    said = '"ana silva" fits ana.silva@example.com and ana.s2@example.com. Write the e-mail'
    with pytest.raises(AmbiguousPersonError, match=said):
        people.find("ana silva")
    assert people.find("ana.s2@example.com") is TWIN
    assert people.find("@ana.silva") == ANA


def test_a_handle_in_slack_comes_before_the_mailbox_of_somebody_else() -> None:
    assert People([JOSE, TWIN]).find("@jose") is TWIN
    assert People([JOSE]).find("@jose") is JOSE
    same = Person("jose@elsewhere.example", "Jo", "jose@elsewhere.example")
    with pytest.raises(AmbiguousPersonError):
        People([JOSE, same]).find("@jose")


@pytest.mark.parametrize("unseen", ["\u200b", "\u200e", "\ufeff", "\u00ad", "\u2060"])
def test_letters_that_nobody_sees_change_nothing(unseen: str) -> None:
    """They come along when somebody copies from a web page or a chat."""
    for written in (f"{unseen}Anne Meyer", f"Anne{unseen} Meyer", f"anne@example.com{unseen}"):
        assert PEOPLE.find(written) is ANNE
    assert PEOPLE.find(f"{unseen}<@UANNE>") is ANNE
    assert PEOPLE.find(f"new@example.com{unseen}").key == "new@example.com"


@pytest.mark.parametrize("written", ["Anne  Meyer", "Anne\u00a0Meyer", " anne\tmeyer "])
def test_blanks_within_a_name_do_not_matter(written: str) -> None:
    assert PEOPLE.find(written) is ANNE


@pytest.mark.parametrize(
    "written", ["Ana Silva", "ana.silva@example.com", "@ana.silva", "<@UANA>", "<@UANA|ana>"]
)
def test_who_left_is_not_found_again_as_somebody_new(written: str) -> None:
    other = Person("asm@example.com", "Ana Silva Moreno", "asm@example.com")
    with pytest.raises(UnknownPersonError, match="is marked as not active in People"):
        People([ANNE, other], left=[ANA]).find(written)


def test_who_has_the_name_of_one_who_left_is_found() -> None:
    assert People([ANNE, TWIN], left=[ANA]).find("Ana Silva") is TWIN
