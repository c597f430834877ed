package io.ray.streaming.api.stream;

import io.ray.streaming.api.context.StreamingContext;

/** A stream whose next operator is a Python function, named by its module and its name. */
public class PythonDataStream extends Stream<PythonDataStream> {
  PythonDataStream(StreamingContext context, int stream) {
    super(context, stream);
  }

  @Override
  public String getLanguage() {
    return "python";
  }

  public PythonDataStream map(String module, String function) {
    return next("map", module, function);
  }

  public PythonDataStream flatMap(String module, String function) {
    return next("flat_map", module, function);
  }

  public PythonDataStream filter(String module, String function) {
    return next("filter", module, function);
  }

  public PythonDataStream keyBy(String module, String function) {
    return next("key_by", module, function);
  }

  public PythonDataStream reduce(String module, String function) {
    return next("reduce", module, function);
  }

  public PythonDataStream partitionBy(String module, String function) {
    return next("partition_by", module, function);
  }

  public PythonDataStream sink(String module, String function) {
    return next("sink", module, function);
  }

  /** The same stream, whose next operator is written in Java. */
  public <T> DataStream<T> asJavaStream() {
    return new DataStream<>(context, stream);
  }

  @Override
  PythonDataStream seen(int number) {
    return new PythonDataStream(context, number);
  }

  private PythonDataStream next(String verb, String module, String function) {
    return seen(add(verb, module, function));
  }
}
