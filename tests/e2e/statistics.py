"""Statistics of a table from end to end: DESCRIBE STATISTICS, deltaworks statistics, and the report."""
import html.parser
import json
import os
import sys

from harness import expect, expect_equal, expect_failure, main, test


def ask(w, statement):
    return [json.loads(line) for line in w.sql(statement, "--format", "ndjson").splitlines()]


def make(w):
    w.sql("CREATE TABLE t (id BIGINT, p STRING, q INT) PARTITIONED BY (p, q);"
          "INSERT INTO t SELECT range, CASE WHEN range < 60 THEN 'a' END, 1 FROM range(100);"
          "INSERT INTO t VALUES (1000, 'b', 2);"
          "DELETE FROM t WHERE id < 10;"
          "DELETE FROM t WHERE p = 'b'")


@test
def test_statistics__are_those_of_the_rows(w):
    make(w)
    found = ask(w, "DESCRIBE STATISTICS t")[0]
    expect_equal((found["version"], found["numFiles"], found["numRecords"], found["numPartitions"]), (4, 2, 90, 2))
    expect_equal((found["numDeletionVectors"], found["numDeletedRecords"]), (1, 10))
    sizes = [os.path.getsize(w.path(os.path.join("t", f))) for f in w.files("t") if f.startswith("p=") and "p=b" not in f]
    expect_equal((found["sizeInBytes"], found["smallestFileInBytes"], found["largestFileInBytes"]), (sum(sizes), min(sizes), max(sizes)))
    expect_equal((found["firstVersion"], found["numCommits"]), (0, 5))
    log = [w.log("t", v) for v in range(5)]
    expect_equal(found["logSizeInBytes"], sum(os.path.getsize(p) for p in log))
    expect_equal(ask(w, "DESCRIBE STATISTICS t VERSION AS OF 2")[0]["numRecords"], 101)
    expect_equal(ask(w, "DESCRIBE STATISTICS t@v0")[0]["numRecords"], 0)
    ran = w.run("statistics", "t", "--format", "json")
    expect_equal(json.loads(ran.out)[0], found)


@test
def test_statistics__by_partition_size_and_version(w):
    make(w)
    found = ask(w, "DESCRIBE STATISTICS t PARTITIONS")
    expect_equal([(r["partition"], r["numRecords"], r["numFiles"]) for r in found],
                 [({"p": None, "q": "1"}, 40, 1), ({"p": "a", "q": "1"}, 50, 1)])
    bins = ask(w, "DESCRIBE STATISTICS t HISTOGRAM")
    expect_equal((sum(b["numFiles"] for b in bins), bins[0]["fromBytes"], bins[-1]["toBytes"]), (2, 0, None))
    expect_equal([b["fromBytes"] for b in bins[1:]], [b["toBytes"] for b in bins[:-1]])
    versions = ask(w, "DESCRIBE STATISTICS t HISTORY")
    expect_equal([(v["version"], v["operation"], v["numRecords"], v["numFiles"], v["numFilesAdded"], v["numFilesRemoved"]) for v in versions],
                 [(4, "DELETE", 90, 2, 0, 1), (3, "DELETE", 91, 3, 1, 1), (2, "WRITE", 101, 3, 1, 0),
                  (1, "WRITE", 100, 2, 2, 0), (0, "CREATE TABLE", 0, 0, 0, 0)])
    expect_equal(ask(w, "DESCRIBE STATISTICS t HISTORY LIMIT 2"), versions[:2])
    ran = w.run("statistics", "t", "--history", "-n", "2", "--format", "ndjson")
    expect_equal([json.loads(line) for line in ran.out.splitlines()], versions[:2])
    expect_equal(w.run("statistics", "t", "--history", "--partitions").status, 2)
    expect_failure(w.run("sql", "-c", "DESCRIBE STATISTICS t VERSION AS OF 1 HISTORY"), 1, "PARSE_ERROR")
    w.sql("CREATE TABLE statistics (i INT)")
    expect_equal(len(ask(w, "DESCRIBE statistics")), 1)


@test
def test_statistics__read_no_data_file(w):
    make(w)
    w.damages("t")
    for name in w.files("t"):
        os.remove(w.path(os.path.join("t", name)))
    expect_equal(ask(w, "DESCRIBE STATISTICS t")[0]["numRecords"], 90)
    expect_equal(w.run("report", "t").status, 0)


class Page(html.parser.HTMLParser):
    """Checks that elements nest, and that there are none of those that run or load."""
    VOID = {"meta", "line", "path", "rect", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.text, self.seen = [], "", {}

    def handle_starttag(self, tag, attributes):
        expect(tag not in ("script", "img", "iframe", "object", "link", "a", "b2"), f"no {tag}")
        expect(not any(name.startswith("on") or name in ("src", "href") for name, _ in attributes), attributes)
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            expect_equal(self.open.pop(), tag)

    def handle_data(self, data):
        self.text += data


def report(w, table):
    ran = w.run("report", table)
    expect(ran.status == 0, repr(ran))
    page = Page()
    page.feed(ran.out)
    page.close()
    expect_equal(page.open, [])
    return page, ran.out


@test
def test_report__has_its_pictures_and_figures(w):
    make(w)
    page, text = report(w, "t")
    expect(page.seen["svg"] >= 5, page.seen)
    for word in ("Rows", "Size", "Files", "Operations", "Files by size", "Largest partitions", "p=a, q=1", "p=NULL, q=1",
                 "90", "10.0%", "of rows deleted by vectors", "CREATE TABLE"):
        expect(word in page.text, word)
    expect("prefers-color-scheme:dark" in text and "width=device-width" in text, "light and dark, and phones")
    expect("http" not in text.replace('http-equiv="Content-Security-Policy"', ""), "nothing from outside")
    ran = w.run("report", "t", "--output", "t.html")
    expect_equal((ran.status, ran.out, open(w.path("t.html"), encoding="utf-8").read()), (0, "", text))
    w.sql("CREATE TABLE u (i INT)")
    page, text = report(w, "u")
    expect("<span>partitions" not in text and "version to go back to" in page.text, page.text)
    expect_failure(w.run("report", "nothing"), 1, "TABLE_NOT_FOUND")


@test
def test_output__stays_what_it_was_when_nothing_could_be_written(w):
    make(w)
    for verb in (("report",), ("statistics", "--format", "csv")):
        expect_equal(w.run(*verb, "t", "--output", "out").status, 0)
        before = open(w.path("out"), encoding="utf-8").read()
        expect_failure(w.run(*verb, "nothing", "--output", "out"), 1, "TABLE_NOT_FOUND")
        expect_equal(open(w.path("out"), encoding="utf-8").read(), before)
        expect_failure(w.run(*verb, "nothing", "--output", "new"), 1, "TABLE_NOT_FOUND")
        expect(not os.path.exists(w.path("new")), "no file for nothing")
    for form in ("csv", "parquet", "ndjson"):
        with open(w.path("out"), "w", encoding="utf-8") as file:
            file.write("x" * 100000)
        expect_equal(w.run("sql", "-c", "SELECT 7 AS x", "--format", form, "--output", "out").status, 0)
        expect(os.path.getsize(w.path("out")) < 10000, "nothing is left of what was there")
        ran = w.run("sql", "-c", "SELECT x FROM nothing", "--format", form, "--output", "out")
        expect_equal((ran.status, os.path.getsize(w.path("out")) > 0), (1, True))


@test
def test_report__takes_hostile_names_for_text(w):
    name = "<script>alert(1)</script>"
    w.sql(f"""CREATE TABLE "x" ("a<b>&'c" BIGINT, "{name}" STRING, "\u202eevil" STRING)
              PARTITIONED BY ("{name}", "\u202eevil")
              TBLPROPERTIES ('delta.columnMapping.mode' = 'name')""")
    w.sql(f"""INSERT INTO x VALUES (1, '"><img src=x onerror=alert(1)>', '</svg></title>'), (2, 'a' || chr(1) || 'b', '{"long" * 40}')""")
    page, text = report(w, "x")
    expect(name in page.text, "the name as text")
    expect("<script" not in text and "<img" not in text and "\u202e" not in text and "\x01" not in text, "nothing but text")


if __name__ == "__main__":
    sys.exit(main())
