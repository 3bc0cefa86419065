# spacy-relext on a CPU:
#   docker build -t relext .
#   docker run --rm -v "$PWD:/data" relext extract default texts.txt triples.jsonl
FROM python:3.12-slim
WORKDIR /app
COPY setup.cfg pyproject.toml MANIFEST.in constraints.txt README.md LICENSE ./
COPY configs configs
COPY spacy_relext spacy_relext
# If the index has a CPU build of torch, take it: the usual one brings gigabytes of CUDA libraries.
RUN torch="$(grep '^torch==' constraints.txt)" \
    && (pip install --no-cache-dir "$torch+cpu" || pip install --no-cache-dir "$torch") \
    && pip install --no-cache-dir -c constraints.txt ".[text,frames,export]"
WORKDIR /data
ENTRYPOINT ["python", "-m", "spacy", "relext"]
CMD ["--help"]
