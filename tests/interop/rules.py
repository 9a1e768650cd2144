"""Constraints, generated columns, defaults and identity columns: both sides judge and fill alike.

The expressions are Spark's. We create a table with a generated column for each, of the type that Spark
gives it, and fill it; Spark then evaluates each over the same rows.
"""
import os

from dwpeers import product

BASE = ("i INT, l BIGINT, sh SMALLINT, s STRING, d DATE, ts TIMESTAMP, n TIMESTAMP_NTZ, x DOUBLE, f FLOAT, "
        "b BOOLEAN, p DECIMAL(10,2), st STRUCT<a: INT, t: STRING>, a ARRAY<INT>, m MAP<STRING, INT>")
ROWS = """
(0, 0, 0::SMALLINT, '', '1970-01-01', '1970-01-01 00:00:00', '1970-01-01 00:00:00', 0, 0, false, 0,
 {'a': 0, 't': ''}, [], MAP {}),
(-7, 5000000000, -3::SMALLINT, 'Hello, World', '2024-02-29', '2024-02-29 23:59:59.123456',
 '2024-02-29 23:59:59.5', -2.5, 1.5, true, -1.25, {'a': 3, 't': 'x'}, [5, NULL, 7], MAP {'k': 1, 'j': NULL}),
(42, -1, 7::SMALLINT, '  ünï çödé 😀  ', '1969-12-31', '1969-12-31 12:34:56.7', '1969-12-31 12:34:56', 1e300, -0.1,
 NULL, 99999999.99, {'a': NULL, 't': NULL}, [1], MAP {'k': 9}),
(2147483646, 9223372036854775806, 100::SMALLINT, E'line\\nend\\n', '9999-12-31', '2000-01-01 00:00:00',
 '2000-12-31 01:02:03.000001', 'nan'::DOUBLE, 'inf'::FLOAT, true, 0.05, NULL, NULL, NULL),
(1, 12, 1::SMALLINT, 'AB-12', '2021-01-03', '2021-01-03 05:06:07', NULL, 3.5, 2, false, 1.00,
 {'a': 1, 't': 'AB'}, [1, 2, 3], MAP {'z': 3}),
(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""

# What stands over all rows without failing under Spark's ANSI rules.
EXPRESSIONS = """
i > 0
i <=> NULL
NOT b
b AND i > 0
b OR i IS NULL
b IS NOT TRUE
i BETWEEN -7 AND 42
i IN (1, 42, NULL)
i NOT IN (1, 2)
l = i
x > i
f < x
f = 1.5
p >= 0.05
p = i
s = 'AB-12'
s <> "x"
s < 'a'
d < DATE '2000-01-01'
d = ts
ts >= TIMESTAMP '2000-01-01 00:00:00'
n < ts
d > '2000-01-01'
x = x
x <> 0
s LIKE '%l_, W%'
s LIKE '%\\\\%%'
s LIKE 'A!_%' ESCAPE '!'
s RLIKE '^[A-Z]{2}-[0-9]+$'
s RLIKE 'end$'
s RLIKE 'e.e'
s RLIKE '\\\\s\\\\w+'
s RLIKE 'H(?:e|a)l+o'
sh + 1
sh * sh
i - l
-sh
p + 1
p - l
p * p
p * 1.5
i / 4
l / 3
i % 5
l % 1000
mod(i, -5)
l DIV 7
x * 2
f + 1
f * f
x / 3
1 + 2 * 3
CASE WHEN i > 0 THEN 'pos' WHEN i < 0 THEN 'neg' ELSE s END
CASE i WHEN 1 THEN 10 WHEN 42 THEN 20L END
if(b, i, l)
coalesce(i, l, 0)
nvl(s, 'none')
nvl2(s, 1, 2)
nullif(i, 42)
ifnull(p, 0)
isnull(s)
isnotnull(b)
isnan(x)
greatest(i, sh, 5)
least(x, f)
year(d)
year(ts)
quarter(d)
month(ts)
day(d)
dayofmonth(n)
dayofyear(d)
dayofweek(d)
weekday(d)
weekofyear(d)
hour(ts)
minute(n)
second(ts)
last_day(d)
date_add(DATE '2024-01-31', 30)
date_sub(DATE '2024-01-31', sh)
datediff(d, DATE '2020-01-01')
add_months(DATE '2024-01-31', 1)
make_date(2024, 2, 29)
trunc(d, 'MM')
trunc(d, 'year')
trunc(d, 'week')
trunc(d, 'quarter')
date_trunc('HOUR', ts)
date_trunc('month', ts)
date_format(ts, 'yyyy-MM-dd HH:mm:ss.SSS')
date_format(d, 'yyyy-MM')
date_format(ts, "d/M/yy 'at' hh a")
date_format(d, 'EEEE, MMM dd')
unix_timestamp(ts)
unix_micros(ts)
unix_date(d)
extract(YEAR FROM d)
CAST(ts AS DATE)
CAST(n AS DATE)
CAST(d AS TIMESTAMP)
CAST(ts AS STRING)
CAST(n AS STRING)
CAST(d AS STRING)
CAST(ts AS BIGINT)
CAST(i AS STRING)
CAST(p AS STRING)
CAST(b AS STRING)
CAST(b AS INT)
CAST(i AS DOUBLE)
CAST(i AS BOOLEAN)
CAST(p AS INT)
CAST(p AS DECIMAL(12,1))
CAST(p AS DOUBLE)
CAST(f AS DOUBLE)
CAST(l AS DECIMAL(20,0))
CAST('12' AS INT)
CAST(' -7 ' AS BIGINT)
CAST('2024-05-06' AS DATE)
CAST('2024-05-06 01:02:03.5' AS TIMESTAMP)
CAST('1.25' AS DECIMAL(5,1))
CAST('yes' AS BOOLEAN)
DATE '2024-01-31' + 3
d - 1
DATE '2024-01-31' + INTERVAL 1 MONTH
DATE '2024-01-31' - INTERVAL '1' DAY
ts + INTERVAL 90 MINUTE
n - INTERVAL 2 HOURS
length(s)
char_length(s)
octet_length(s)
lower(s)
upper(s)
trim(s)
ltrim(s)
rtrim(s)
left(s, 3)
right(s, 2)
left(s, -1)
substring(s, 1, 4)
substring(s, 0, 2)
substring(s, -4, 2)
substring(s, -20, 12)
substring(s, 3)
substring(s FROM 2 FOR 3)
substr(s, 2, 0)
replace(s, 'l', 'L')
replace(s, '', 'x')
translate(s, 'lo', '01')
instr(s, 'o')
instr(s, '')
locate('l', s)
startswith(s, 'He')
endswith(s, 'd')
contains(s, 'lo')
repeat(s, 2)
repeat(s, -1)
lpad(s, 5, '*')
rpad(s, 15, 'ab')
concat(s, '-', i)
s || 'x'
concat('a', CAST(l AS STRING))
md5(s)
sha1(s)
abs(i)
abs(p)
sign(x)
sqrt(x)
floor(p)
ceil(p)
floor(i / 3)
ceiling(l / 7)
round(p, 1)
round(p)
size(a)
cardinality(m)
st.a
st.t = 'AB'
st.a IS NULL
m['k']
a[0] IS NULL OR TRUE
'it''s'
'a\\\\b\\n'
r'\\d'
1.25
3L
-5
1e3
2.5BD
TRUE
"""

# These fail for some row; a CASE or AND keeps them from it.
GUARDED = """
i <> 0 AND 10 / i > 1
i = 0 OR 10 / i < 100
CASE WHEN size(a) > 1 THEN a[1] END
if(s RLIKE '^-?[0-9]+$', CAST(s AS INT), 0)
i < 1000 AND i + i > 0
"""


def expressions():
    return [line for line in (EXPRESSIONS + GUARDED).splitlines() if line.strip()]


def same_meaning(run):
    """Every expression as a generated column that we compute, compared by Spark."""
    from dwpeers import spark

    session = spark.session()
    base = run.path("rules/base")
    product.sql(f"CREATE TABLE {product.table_sql(base)} ({BASE}); "
                f"INSERT INTO {product.table_sql(base)} VALUES {ROWS}")
    all_of_them = expressions()
    frame = session.sql(f"SELECT {', '.join(f'({e}) AS g{k}' for k, e in enumerate(all_of_them))} "
                        f"FROM delta.`{base}`")
    types = [field.dataType.simpleString() for field in frame.schema.fields]
    problems, known = [], []
    computed = run.path("rules/computed")
    for k, (text, type_) in enumerate(zip(all_of_them, types)):
        column = f"g{k} {type_} GENERATED ALWAYS AS ({spell(text)})"
        try:
            product.sql(f"CREATE OR REPLACE TABLE {product.table_sql(computed)} ({BASE}, {column})")
            known.append((k, text, column))
        except product.ProductError as e:
            problems.append(f"{text} of type {type_}: {e.stderr}")
    table = product.table_sql(computed)
    product.sql(f"CREATE OR REPLACE TABLE {table} ({BASE}, {', '.join(c for _, _, c in known)})")
    names = ", ".join(column.split()[0] for column in split_columns(BASE))
    product.sql(f"INSERT INTO {table} ({names}) SELECT * FROM {product.table_sql(base)}")
    # What Spark takes out of expressions as common is evaluated where the expression would not.
    session.conf.set("spark.sql.subexpressionElimination.enabled", "false")
    wrong = session.sql("SELECT " + ", ".join(
        f"sum(if(g{k} <=> ({text}), 0, 1)) AS w{k}, "
        f"first(if(g{k} <=> ({text}), NULL, concat(g{k}, ' for ', {text})), true) AS e{k}"
        if not type_is_nested(types[k]) else f"sum(if(g{k} <=> ({text}), 0, 1)) AS w{k}, NULL AS e{k}"
        for k, text, _ in known) + f" FROM delta.`{computed}`").collect()[0].asDict()
    session.conf.set("spark.sql.subexpressionElimination.enabled", "true")
    problems += [f"{text}: {wrong[f'w{k}']} values differ: {wrong[f'e{k}']}" for k, text, _ in known
                 if wrong[f"w{k}"] > 0]
    return "; ".join(problems) if problems else None


def spell(text):
    """An expression of Spark's in our spelling: strings as the engine's."""
    out, pos = [], 0
    while pos < len(text):
        c = text[pos]
        if c in "'\"" and not (pos and text[pos - 1] == "r"):
            value, pos = read_string(text, pos)
            out.append("'" + value.replace("'", "''") + "'" if "\n" not in value else
                       "E'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'")
        elif c == "r" and pos + 1 < len(text) and text[pos + 1] == "'":
            end = text.index("'", pos + 2)
            out.append("'" + text[pos + 2:end] + "'")
            pos = end + 1
        else:
            out.append(c)
            pos += 1
    return "".join(out)


def read_string(text, pos):
    quote, value = text[pos], []
    pos += 1
    while True:
        c = text[pos]
        if c == "\\":
            kept = text[pos:pos + 2] if text[pos + 1] in "%_" else {"n": "\n"}.get(text[pos + 1], text[pos + 1])
            value.append(kept)
            pos += 2
        elif c == quote and text[pos + 1:pos + 2] == quote:
            value.append(quote)
            pos += 2
        elif c == quote:
            return "".join(value), pos + 1
        else:
            value.append(c)
            pos += 1


def split_columns(columns):
    depth, begin, found = 0, 0, []
    for pos, c in enumerate(columns + ","):
        depth += (c in "(<") - (c in ")>")
        if c == "," and depth == 0:
            found.append(columns[begin:pos].strip())
            begin = pos + 1
    return found


def type_is_nested(type_):
    return type_.startswith(("struct", "array", "map"))


# ---- Tables that both write to -----------------------------------------------------------------------

COLUMNS = ("k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), ts TIMESTAMP, "
           "day DATE GENERATED ALWAYS AS (CAST(ts AS DATE)), v INT DEFAULT 7, s STRING DEFAULT 'it\\'s'")
PROPERTIES = "'delta.feature.allowColumnDefaults' = 'supported', 'delta.constraints.small' = 'v < 100 AND s <> \"\"'"


def refused(action, statement):
    try:
        action(statement)
    except Exception:
        return None
    return f"accepted {statement}"


def by_turns(run, first):
    """Spark and we write to one table that `first` created: values go on, violations are refused."""
    from dwpeers import spark

    path = run.path(f"rules/created by {first}")
    table = product.table_sql(path)
    writers = {"deltaworks": product.sql, "spark": lambda text: spark.session().sql(text).collect()}
    columns = COLUMNS.replace("\\'", "''") if first == "deltaworks" else COLUMNS
    properties = PROPERTIES.replace('"', "''") if first == "deltaworks" else PROPERTIES.replace('"', "\\'")
    writers[first](f"CREATE TABLE {table} ({columns}) USING delta PARTITIONED BY (day) TBLPROPERTIES ({properties})")
    for turn in range(3):
        for name, write in writers.items():
            write(f"INSERT INTO {table} (ts) VALUES (TIMESTAMP '2024-05-0{turn + 1} 10:00:00')")
            write(f"INSERT INTO {table} (ts, v) VALUES (TIMESTAMP '2024-06-0{turn + 1} 10:00:00', {turn})")
            for bad in (f"INSERT INTO {table} (v) VALUES (100)",
                        f"INSERT INTO {table} (v) VALUES (NULL)",
                        f"INSERT INTO {table} (s) VALUES ('')",
                        f"INSERT INTO {table} (k, v) VALUES (1, 2)",
                        f"INSERT INTO {table} (ts, day) VALUES (TIMESTAMP '2024-05-01 10:00:00', DATE '2024-05-02')"):
                problem = refused(write, bad)
                if problem:
                    return f"{name} {problem}"
    ours = product.query(f"SELECT k, CAST(day AS VARCHAR) AS day, v, s FROM {table} ORDER BY k").to_pylist()
    if [row["k"] for row in ours] != list(range(10, 70, 5)):
        return f"expected twelve values from 10 by 5, found {[row['k'] for row in ours]}"
    if any(row["s"] != "it's" or row["v"] not in (0, 1, 2, 7) for row in ours):
        return f"expected the defaults, found {ours}"
    theirs = spark.session().sql(f"SELECT k, CAST(day AS STRING) AS day, v, s FROM {table} ORDER BY k").collect()
    if [row.asDict() for row in theirs] != ours:
        return f"we read {ours}, Spark {theirs}"
    return None


def run_all(run):
    if "spark" not in run.engines:
        return
    run.check("rules/expressions mean the same", same_meaning, run)
    for first in ("deltaworks", "spark"):
        run.check(f"rules/written by turns, created by {first}", by_turns, run, first)


if __name__ == "__main__":
    print(os.linesep.join(expressions()))
