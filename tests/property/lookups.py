"""Random lookups by keys over random tables: the rows are those of a plain table, and of a scan.

A lookup finds its rows in unpacked pages, where it can; the tables are those of the pruning of files. Asked is
more than once, as what was unpacked is kept.
"""
import sys

import seeds
from pruning import Pruning
from seeds import Failure
from tables import quote

LOOKUPS = 30
KEYS = ("BIGINT", "INT", "SMALLINT")


class Lookups(Pruning):
    def columns(self):
        """What a lookup gives out, as text: of some columns of types that are kept unpacked, or of all."""
        plain = self.shape.columns if self.rng.random() < 0.1 else [
            c for c in self.shape.columns if not c.is_nested]
        chosen = self.rng.choices(plain, k=self.rng.randrange(1, 5))
        way = self.rng.random()
        if way < 0.1:
            return "count(*), " + ", ".join(f"CAST(min({quote(c.name)}) AS VARCHAR)" for c in chosen)
        return ", ".join(f"CAST({quote(c.name)} AS VARCHAR)" for c in chosen)

    def condition(self):
        keys = [c for c in self.shape.columns if c.kind in KEYS]
        parts = []
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            column = self.rng.choice(keys)
            among = 130 if column.name == "id" else self.rng.choice([12, 128, 40000])
            parts.append(f"{quote(column.name)} = {self.rng.randrange(among)}")
        return " AND ".join(parts)

    def rows(self, sql):
        """Zeros have lost their signs in the files of a table."""
        return sorted(str(row).replace("'-0.0'", "'0.0'") for row in self.session.run(sql))

    def run(self):
        self.build()
        for _ in range(LOOKUPS):
            columns, where = self.columns(), self.condition()
            found = self.rows(f"SELECT {columns} FROM t WHERE {where}")
            for wanted in (f"FROM m WHERE {where}", f"FROM t WHERE {where} OR false"):
                rows = self.rows(f"SELECT {columns} {wanted}")
                if found != rows:
                    raise Failure(f"SELECT {columns} WHERE {where}: expected {rows}, found {found}")


def check(session, rng, folder):
    Lookups(session, rng, folder).run()


if __name__ == "__main__":
    sys.exit(seeds.main(check))
