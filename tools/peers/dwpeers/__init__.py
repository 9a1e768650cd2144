"""What the conformance tests, the interoperability tests and the benchmarks share."""
