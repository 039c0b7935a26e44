# For machines without a Python that fits:
#   docker build -t neural-style .
#   docker run --rm -v "$PWD:/pictures" neural-style --content-image photo.jpg --style-image painting.jpg
FROM python:3.11-slim
COPY . /neural_style
RUN pip install --no-cache-dir /neural_style && mkdir /pictures
WORKDIR /pictures
ENTRYPOINT ["python", "-m", "neural_style"]
