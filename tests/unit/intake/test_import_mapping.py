"""What a row of another system means, by the mappings that come with the project."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.intake_service.channels.domain.decoding import Decoder
from services.intake_service.channels.domain.mapper import Mapped, Mapper, Rejected
from services.intake_service.channels.domain.mapping import MappingFile
from services.intake_service.channels.domain.rows import BrokenRow, CsvReader, SourceRow
from services.intake_service.channels.service import OWN_MAPPINGS
from services.intake_service.customers.schemas import read_email, read_phone
from services.intake_service.triage.service import Triage
from shared.kernel.yaml_documents import read_yaml

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DATA = Path(__file__).parents[4] / "shared" / "data"
NYC = {
    "unique_key": "1",
    "created_date": "2012-11-20T16:03:55",
    "closed_date": "2012-11-21T00:00:00",
    "status": "Closed",
    "complaint_type": "Rodent",
    "borough": "STATEN ISLAND",
    "latitude": "40.7",
    "longitude": "-73.9",
}


def own(name: str) -> MappingFile:
    text = (OWN_MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8")
    return read_yaml(text, MappingFile, name=name)


def mapper(mapping: MappingFile) -> Mapper:
    return Mapper(
        mapping,
        now=NOW,
        read_phone=lambda text, region: read_phone(text, default_region=region),
        read_email=read_email,
    )


def mapped(name: str, values: Mapping[str, str]) -> Mapped:
    return mapper(own(name)).map(SourceRow(2, "", values))


@pytest.mark.parametrize("path", sorted(OWN_MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_mappings_name_known_categories_only(path: Path) -> None:
    taxonomy = Triage.load().taxonomy

    codes = {code for rule in own(path.stem).category for code in rule.table.values()}

    assert [code for code in codes if not taxonomy.is_known(code)] == []


def test_the_mapping_that_the_documentation_shows_means_what_it_says() -> None:
    text = (Path(__file__).parents[3] / "docs" / "imports.md").read_text(encoding="utf-8")
    document = text.partition("```yaml\n")[2].partition("```")[0]
    shown = read_yaml(document, MappingFile, name="imports.md")
    row = {
        "编号": "1",
        "投诉时间": "2026/03/01 09:30",
        "姓名": "王芳",
        "电话": "13800138000",
        "会员号": "7",
        "会员等级": "金卡",
        "主题": "少了两件",
        "内容": "无",
        "来源": "门店",
        "问题类型": "少件",
        "省份代码": "31",
        "状态": "已解决",
        "首次回复": "-",
        "解决时间": "2026-03-02",
    }

    found = mapper(shown).map(SourceRow(2, "", row))

    complaint = found.complaint
    assert found.warnings == []
    assert complaint.received_at == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert (complaint.description, complaint.channel) == ("少了两件", "in_person")
    assert (complaint.contact.crm_id, complaint.contact.phone) == ("shop:7", "+8613800138000")
    assert (complaint.contact.tier, complaint.place.region) == ("gold", "CN-31")
    assert complaint.category == "logistics.short"
    assert complaint.recorded is not None
    assert complaint.recorded.outcome == "solved"
    assert complaint.recorded.answered_at is None
    assert complaint.recorded.resolved_at == datetime(2026, 3, 1, 16, tzinfo=UTC)
    codes = [code for rule in shown.category for code in rule.table.values()]
    assert all(map(Triage.load().taxonomy.is_known, codes))


def test_a_time_without_offset_is_one_of_the_mappings_zone() -> None:
    complaint = mapped("nyc-311", NYC).complaint

    assert complaint.received_at == datetime(2012, 11, 20, 21, 3, 55, tzinfo=UTC)
    assert complaint.recorded is not None
    assert complaint.recorded.resolved_at == datetime(2012, 11, 21, 5, tzinfo=UTC)
    assert complaint.recorded.outcome == "answered"
    assert complaint.place.region == "nyc-staten-island"
    assert complaint.category == "public.animal"
    assert complaint.imported


@pytest.mark.parametrize("closed", ["1900-01-01T00:00:00", "2012-11-20T00:00:00"])
def test_a_row_closed_before_it_was_created_is_kept_without_that_time(closed: str) -> None:
    found = mapped("nyc-311", NYC | {"closed_date": closed})

    assert found.warnings == ["time-before-received"]
    assert found.complaint.recorded is not None
    assert found.complaint.recorded.outcome == "answered"
    assert found.complaint.recorded.closed_at is None


def test_a_closing_time_of_an_open_row_does_not_close_it() -> None:
    found = mapped("nyc-311", NYC | {"status": "Pending"})

    assert found.complaint.recorded is None
    assert found.warnings == ["time-of-an-open-row"]


def test_a_value_that_no_table_names_becomes_other() -> None:
    assert (
        mapped("nyc-311", NYC | {"complaint_type": "Ferry Inquiry"}).complaint.category == "other"
    )


def test_a_file_without_the_category_column_leaves_it_to_the_words() -> None:
    row = {"留言编号": "1", "留言时间": "2019-01-01", "留言主题": "题", "留言详情": "工资"}

    assert mapped("zh-messages", row).complaint.category is None
    assert mapped("zh-messages", row | {"一级分类": "交通运输"}).complaint.category == (
        "public.transport"
    )


def test_a_template_speaks_where_there_is_no_text() -> None:
    row = {
        "Complaint ID": "7",
        "Date received": "03/22/23",
        "Product": "Mortgage",
        "Issue": "Other",
        "Sub-issue": "None",
        "Consumer complaint narrative": "",
        "State": "AE",
    }

    complaint = mapped("cfpb", row).complaint

    assert complaint.description == "Mortgage: Other"
    assert complaint.received_at == datetime(2023, 3, 22, 4, tzinfo=UTC)
    assert complaint.category == "loan.mortgage"
    assert complaint.recorded is None


def test_text_keeps_its_words_and_loses_tabs_and_ideographic_blanks() -> None:
    row = {
        "留言编号": "1",
        "留言时间": "2018/10/24 10:55:47",
        "留言主题": "{留言详情}",
        "留言详情": "\n\t\t尊敬的书记：　\t您好！\x00\n\n问题 ",
    }

    assert mapped("zh-messages", row).complaint.description == (
        "{留言详情}\n尊敬的书记： 您好！\n问题"
    )


def test_a_place_that_is_none_is_left_out() -> None:
    found = mapped("nyc-311", NYC | {"latitude": "4070.1"})

    assert (found.complaint.place.latitude, found.warnings) == (None, ["place-unreadable"])


def test_a_text_over_the_limit_is_rejected() -> None:
    with pytest.raises(Rejected) as why:
        mapped("nyc-311", NYC | {"complaint_type": "x" * 20_001})

    assert why.value.reason == "description-too-long"


def _rows(name: str, mapping: MappingFile) -> Iterator[SourceRow | BrokenRow]:
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip("the real data are not in ../shared/data")
    decoder, reader = Decoder(mapping.encoding), CsvReader(mapping.columns())
    with gzip.open(path) as file:
        while data := file.read(1 << 16):
            yield from reader.feed(decoder.feed(data))
    yield from reader.feed(decoder.feed(b"", last=True), last=True)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "file", "rows", "different", "settled"),
    [
        ("cfpb", "cfpb_complaints", 24_503, 24_503, 20_656),
        ("chicago-311", "chicago_311_sanitation", 40_000, 39_877, 39_940),
        ("nyc-311", "nyc_311_requests", 6_531, 6_531, 3_822),
        ("zh-messages", "zh_gov_messages_replies", 1_861, 1_861, 1_861),
    ],
)
def test_every_row_of_the_real_files_is_kept(
    name: str, file: str, rows: int, different: int, settled: int
) -> None:
    mapping = own(name)
    reads = mapper(mapping)
    reasons: Counter[str] = Counter()
    ids, outcomes = set[str](), 0

    for row in _rows(file, mapping):
        if isinstance(row, BrokenRow):
            reasons[row.reason] += 1
            continue
        complaint = reads.map(row).complaint
        assert complaint.source is not None
        ids.add(complaint.source.id)
        reasons["kept"] += 1
        outcomes += complaint.recorded is not None

    assert reasons == {"kept": rows}
    assert len(ids) == different
    assert outcomes == settled
