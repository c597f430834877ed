package io.ray.streaming.api.stream;

import io.ray.streaming.api.context.StreamingContext;
import io.ray.streaming.api.function.impl.FilterFunction;
import io.ray.streaming.api.function.impl.FlatMapFunction;
import io.ray.streaming.api.function.impl.KeyFunction;
import io.ray.streaming.api.function.impl.MapFunction;
import io.ray.streaming.api.function.impl.SinkFunction;
import io.ray.streaming.api.partition.Partition;
import java.util.Arrays;

/** A stream whose next operator is written in Java: a class with a constructor without parameters. */
public class DataStream<T> extends Stream<DataStream<T>> {
  DataStream(StreamingContext context, int stream) {
    super(context, stream);
  }

  @Override
  public String getLanguage() {
    return "java";
  }

  public <R> DataStream<R> map(MapFunction<T, R> function) {
    return next("map", named(function));
  }

  public <R> DataStream<R> flatMap(FlatMapFunction<T, R> function) {
    return next("flat_map", named(function));
  }

  public DataStream<T> filter(FilterFunction<T> function) {
    return next("filter", named(function));
  }

  public DataStream<T> sink(SinkFunction<T> function) {
    return next("sink", named(function));
  }

  /** Merges streams of one type. */
  @SafeVarargs
  public final DataStream<T> union(DataStream<T>... others) {
    return next("union", Arrays.stream(others).map(other -> (Object) other.stream).toArray());
  }

  // Who gets what: the last of these calls counts, for the next operator.

  public <K> KeyDataStream<K, T> keyBy(KeyFunction<T, K> function) {
    return new KeyDataStream<>(context, add("key_by", named(function)));
  }

  public DataStream<T> partitionBy(Partition<T> function) {
    return next("partition_by", named(function));
  }

  public DataStream<T> broadcast() {
    return next("broadcast");
  }

  public DataStream<T> roundRobin() {
    return next("round_robin");
  }

  public DataStream<T> rescale() {
    return next("rescale");
  }

  public DataStream<T> shuffle() {
    return next("shuffle");
  }

  public DataStream<T> forward() {
    return next("forward");
  }

  /** The same stream, whose next operator is written in Python. */
  public PythonDataStream asPythonStream() {
    return new PythonDataStream(context, stream);
  }

  @Override
  DataStream<T> seen(int number) {
    return new DataStream<>(context, number);
  }

  static String named(Object function) {
    Class<?> type = function.getClass();
    if (type.isSynthetic() || type.isAnonymousClass()) {
      throw new IllegalArgumentException("an operator has to be a named class, not a lambda");
    }
    return type.getName();
  }

  private <R> DataStream<R> next(String verb, Object... arguments) {
    return new DataStream<>(context, add(verb, arguments));
  }
}
