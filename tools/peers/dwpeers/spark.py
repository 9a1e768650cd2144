"""One Spark session with Delta for a whole run: starting the JVM takes ten seconds."""
import glob
import os
import shutil
import subprocess
import tempfile
import zipfile

PEERS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))),
    ".peers",
)

_started = []  # the session and its scratch folder, once there is one


def available():
    return os.path.isfile(os.path.join(PEERS, "spark.stamp"))


def link_log_store(scratch):
    """A jar with the log store that makes commits of several processes on a local disk safe; needs a JDK."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    jars = glob.glob(os.path.join(PEERS, "sparkjars", "delta-storage-*.jar"))
    jars += glob.glob(os.path.join(PEERS, "venv/lib/*/site-packages/pyspark/jars/hadoop-client-api-*.jar"))
    subprocess.run(["javac", "-d", scratch, "-cp", ":".join(jars), os.path.join(here, "LinkLogStore.java")], check=True)
    jar, entry = os.path.join(scratch, "link-log-store.jar"), "deltaworks/peers/LinkLogStore.class"
    with zipfile.ZipFile(jar, "w") as file:
        file.write(os.path.join(scratch, entry), entry)
    return jar


def session(memory="4g", beside_others=False):
    """The session, started on first use. Instants are UTC, files go to a temporary folder."""
    if _started:
        return _started[0]
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    from pyspark.sql import SparkSession

    scratch = tempfile.mkdtemp(prefix="dw-spark-")
    os.environ["SPARK_LOCAL_DIRS"] = scratch
    settings = {
        "spark.jars": ",".join(sorted(glob.glob(os.path.join(PEERS, "sparkjars", "*.jar")))),
        "spark.driver.memory": memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        # Small tables: to compile code costs more than to run it. Long runs: 48 MB of compiled code are too little.
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
                                         " -XX:ReservedCodeCacheSize=512m",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",  # else VACUUM has 10,000 tasks
        "spark.databricks.delta.retentionDurationCheck.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": os.path.join(scratch, "warehouse"),
    }
    if beside_others:
        settings["spark.jars"] += "," + link_log_store(scratch)
        settings["spark.delta.logStore.file.impl"] = "deltaworks.peers.LinkLogStore"
    builder = SparkSession.builder.master("local[2]").appName("deltaworks-interop")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    _started.extend([spark, scratch])
    return spark


def stop():
    if _started:
        spark, scratch = _started
        spark.stop()
        shutil.rmtree(scratch, ignore_errors=True)
        _started.clear()


def read(path, version=None):
    reader = session().read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(path).toArrow()
