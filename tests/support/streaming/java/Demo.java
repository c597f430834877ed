package pkg;

import io.ray.api.Ray;
import io.ray.streaming.api.collector.Collector;
import io.ray.streaming.api.context.StreamingContext;
import io.ray.streaming.api.function.impl.FilterFunction;
import io.ray.streaming.api.function.impl.FlatMapFunction;
import io.ray.streaming.api.function.impl.KeyFunction;
import io.ray.streaming.api.function.impl.MapFunction;
import io.ray.streaming.api.function.impl.ReduceFunction;
import io.ray.streaming.api.partition.Partition;
import io.ray.streaming.api.stream.DataStream;
import io.ray.streaming.api.stream.DataStreamSource;
import java.util.Arrays;
import java.util.Map;

public class Demo {
  public static class Mapper1 implements MapFunction<Object, Object> {
    @Override
    public Object map(Object value) {
      return value + "!";
    }
  }

  public static class Filter1 implements FilterFunction<Object> {
    @Override
    public boolean filter(Object value) {
      return !value.equals("b!");
    }
  }

  public static class Twice implements FlatMapFunction<Object, Object> {
    @Override
    public void flatMap(Object value, Collector<Object> collector) {
      collector.collect(value);
      collector.collect(value);
    }
  }

  public static class Fussy implements MapFunction<Object, Object> {
    @Override
    public Object map(Object value) {
      if (value.equals("bad")) {
        throw new IllegalStateException("not this one");
      }
      return value;
    }
  }

  /** The key of {letter, count, process}: an array with the letter. */
  public static class Letter implements KeyFunction<Object, Object> {
    @Override
    public Object keyBy(Object value) {
      return new Object[] {((Object[]) value)[0]};
    }
  }

  /** Adds slowly, and says in which process. */
  public static class Add implements ReduceFunction<Object> {
    @Override
    public Object reduce(Object oldValue, Object newValue) throws Exception {
      Object[] known = (Object[]) oldValue;
      Object[] added = (Object[]) newValue;
      if (((Number) added[1]).intValue() < 0) {
        throw new IllegalStateException("negative");
      }
      Thread.sleep(1);
      long sum = ((Number) known[1]).longValue() + ((Number) added[1]).longValue();
      return new Object[] {known[0], sum, ProcessHandle.current().pid()};
    }
  }

  public static class ToTheLast implements Partition<Object> {
    @Override
    public int[] partition(Object record, int numPartition) {
      return new int[] {numPartition - 1};
    }
  }

  public static class Itself implements KeyFunction<String, String> {
    @Override
    public String keyBy(String value) {
      return value;
    }
  }

  public static class Joined implements ReduceFunction<String> {
    @Override
    public String reduce(String oldValue, String newValue) {
      return oldValue + newValue;
    }
  }

  /** A Java driver with a Python operator. */
  public static void main(String[] args) {
    Ray.init();
    StreamingContext context = StreamingContext.buildContext();
    context.withConfig(Map.of("state", "memory:", "ending", "?"));
    DataStream<String> joined =
        DataStreamSource.fromCollection(context, Arrays.asList("a", "b", "a"))
            .map(new Mapper1Text())
            .withResource("CPU", 0.1)
            .keyBy(new Itself())
            .reduce(new Joined());
    DataStream<String> source = joined.getInputStream().getInputStream().getInputStream();
    System.out.println(source.getLanguage() + " from " + source.getId() + source.getInputStream());
    joined
        .asPythonStream()
        .map("tests.support.streaming.operators_for_java", "shout")
        .sink("tests.support.streaming.operators_for_java", "write");
    System.out.println("whole: " + context.execute("java_driver"));
    Ray.shutdown();
  }

  public static class Mapper1Text implements MapFunction<String, String> {
    @Override
    public String map(String value) {
      return value + "!";
    }
  }
}
