package io.ray.streaming.python;

import io.ray.streaming.api.function.impl.FilterFunction;
import io.ray.streaming.api.function.impl.FlatMapFunction;
import io.ray.streaming.api.function.impl.KeyFunction;
import io.ray.streaming.api.function.impl.MapFunction;
import io.ray.streaming.api.function.impl.SinkFunction;
import io.ray.streaming.api.partition.Partition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs a chain of Java operators for a Python worker: a Ray actor that is given batches of records. */
public class OperatorHost {
  private final List<FlatMapFunction<Object, Object>> chain = new ArrayList<>();

  /**
   * Each line of the text is a verb, a space and the name of a class with a constructor without parameters. The verb
   * value has no class; partition_by also has the number of the receiving instances.
   */
  public OperatorHost(String operators) throws Exception {
    for (String operator : operators.split("\n")) {
      String[] parts = operator.split(" ");
      Object function = parts.length > 1 ? made(parts[1]) : null;
      chain.add(step(parts[0], function, parts.length > 2 ? Integer.parseInt(parts[2]) : 1));
    }
  }

  static Object made(String name) throws Exception {
    return Class.forName(name).getDeclaredConstructor().newInstance();
  }

  /** Tells that the classes were found. */
  public boolean ready() {
    return true;
  }

  /**
   * For each record: {outputs, null}, or {null, error}. An exception must not leave this method: without the right
   * JVM options Ray cannot carry it, and ends the JVM instead.
   */
  public Object[] apply(Object[] records) {
    Object[] results = new Object[records.length];
    for (int i = 0; i < records.length; i++) {
      try {
        List<Object> outputs = new ArrayList<>();
        run(0, records[i], outputs);
        results[i] = new Object[] {outputs.toArray(), null};
      } catch (Exception | LinkageError | StackOverflowError e) {
        results[i] = new Object[] {null, e.toString()};
      }
    }
    return results;
  }

  private void run(int next, Object record, List<Object> outputs) throws Exception {
    if (next == chain.size()) {
      outputs.add(record);
      return;
    }
    List<Object> made = new ArrayList<>();
    chain.get(next).flatMap(record, made::add);
    for (Object one : made) {
      run(next + 1, one, outputs);
    }
  }

  @SuppressWarnings("unchecked")
  private static FlatMapFunction<Object, Object> step(String verb, Object function, int receivers) {
    switch (verb) {
      case "map":
        return (r, out) -> out.collect(((MapFunction<Object, Object>) function).map(r));
      case "flat_map":
        return (FlatMapFunction<Object, Object>) function;
      case "filter":
        return (r, out) -> {
          if (((FilterFunction<Object>) function).filter(r)) {
            out.collect(r);
          }
        };
      case "sink":
        return (r, out) -> ((SinkFunction<Object>) function).sink(r);
      case "key_by":
        return (r, out) ->
            out.collect(new Object[] {((KeyFunction<Object, Object>) function).keyBy(r), r});
      case "partition_by":
        return (r, out) -> {
          int[] chosen = ((Partition<Object>) function).partition(r, receivers);
          out.collect(new Object[] {Arrays.stream(chosen).boxed().toArray(), r});
        };
      case "value": // what key_by or partition_by put beside the record has done its work
        return (r, out) -> out.collect(((Object[]) r)[1]);
      default:
        throw new IllegalArgumentException(verb);
    }
  }
}
