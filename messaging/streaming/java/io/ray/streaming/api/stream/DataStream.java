package io.ray.streaming.api.stream;

import io.ray.streaming.api.context.StreamingContext;
import io.ray.streaming.api.function.impl.FilterFunction;
import io.ray.streaming.api.function.impl.FlatMapFunction;
import io.ray.streaming.api.function.impl.MapFunction;
import io.ray.streaming.api.function.impl.SinkFunction;

/** A stream whose next operator is written in Java: a class with a constructor without parameters. */
public class DataStream<T> {
  private final StreamingContext context;
  private final int stream;

  DataStream(StreamingContext context, int stream) {
    this.context = context;
    this.stream = stream;
  }

  public <R> DataStream<R> map(MapFunction<T, R> function) {
    return next("map", function);
  }

  public <R> DataStream<R> flatMap(FlatMapFunction<T, R> function) {
    return next("flat_map", function);
  }

  public DataStream<T> filter(FilterFunction<T> function) {
    return next("filter", function);
  }

  public DataStream<T> sink(SinkFunction<T> function) {
    return next("sink", function);
  }

  public DataStream<T> setParallelism(int parallelism) {
    context.add(stream, "java", "set_parallelism", parallelism);
    return this;
  }

  /** The same stream, whose next operator is written in Python. */
  public PythonDataStream asPythonStream() {
    return new PythonDataStream(context, stream);
  }

  private <R> DataStream<R> next(String verb, Object function) {
    Class<?> type = function.getClass();
    if (type.isSynthetic() || type.isAnonymousClass()) {
      throw new IllegalArgumentException("an operator has to be a named class, not a lambda");
    }
    return new DataStream<>(context, context.add(stream, "java", verb, type.getName()));
  }
}
