import pytest
from app import answer


@pytest.fixture(scope="module")
def vcr_config():
    return {"filter_headers": ["authorization"]}


@pytest.mark.vcr
def test_an_answer():
    assert answer("How do I get to the station?")
