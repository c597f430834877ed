package pkg;

import io.ray.api.Ray;
import io.ray.streaming.api.collector.Collector;
import io.ray.streaming.api.context.StreamingContext;
import io.ray.streaming.api.function.impl.FilterFunction;
import io.ray.streaming.api.function.impl.FlatMapFunction;
import io.ray.streaming.api.function.impl.MapFunction;
import io.ray.streaming.api.stream.DataStreamSource;
import java.util.Arrays;

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

  /** A Java driver with a Python operator. */
  public static void main(String[] args) {
    Ray.init();
    StreamingContext context = StreamingContext.buildContext();
    DataStreamSource.fromCollection(context, Arrays.asList("a", "b", "c"))
        .map(new Mapper1Text())
        .asPythonStream()
        .map("tests.streaming.operators_for_java", "shout")
        .sink("tests.streaming.operators_for_java", "write");
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
