package fr.traverse.elasticsearch;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.text.ParseException;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.synonym.SolrSynonymParser;
import org.apache.lucene.analysis.synonym.SynonymGraphFilter;
import org.apache.lucene.analysis.synonym.SynonymMap;
import org.apache.lucene.util.CharsRef;
import org.apache.lucene.util.CharsRefBuilder;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexService.IndexCreationContext;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.AnalysisMode;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.CustomAnalyzer;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;

/**
 * The types synonym and synonym_graph. Their rules are read through the tokenizer and the filters
 * that stand before them in the analyzer, so that a rule is written as people write.
 */
final class Synonyms implements TokenFilterFactory {
    private final String name;
    private final Environment environment;
    private final Settings settings;
    private final BiFunction<TokenStream, SynonymMap, TokenStream> filter;

    private Synonyms(
            String name, Environment environment, Settings settings,
            BiFunction<TokenStream, SynonymMap, TokenStream> filter) {
        TokenFilters.refuse(settings, "synonyms_set", "tokenizer");
        if (!settings.get("format", "solr").equals("solr")) {
            TokenFilters.refuse(settings, "format");
        }
        if (!settings.hasValue("synonyms") && !settings.hasValue("synonyms_path")) {
            throw new IllegalArgumentException(
                    "synonym requires either `synonyms`, `synonyms_set` or `synonyms_path` to be configured");
        }
        this.name = name;
        this.environment = environment;
        this.settings = settings;
        this.filter = filter;
    }

    /** Lucene's older filter flattens the graph of synonyms of several words, as Elasticsearch's type does. */
    @SuppressWarnings("deprecation")
    static TokenFilterFactory flat(IndexSettings index, Environment env, String name, Settings settings) {
        return new Synonyms(name, env, settings, (in, rules) ->
                new org.apache.lucene.analysis.synonym.SynonymFilter(in, rules, false));
    }

    static TokenFilterFactory graph(IndexSettings index, Environment env, String name, Settings settings) {
        return new Synonyms(name, env, settings, (in, rules) -> new SynonymGraphFilter(in, rules, false));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public TokenStream create(TokenStream in) {
        throw new IllegalStateException("Call getChainAwareTokenFilterFactory to specialize this factory first");
    }

    @Override
    public AnalysisMode getAnalysisMode() {
        return settings.getAsBoolean("updateable", false) ? AnalysisMode.SEARCH_TIME : AnalysisMode.ALL;
    }

    /** Called when an analyzer is built, and again when search analyzers are reloaded: reads the rules each time. */
    @Override
    public TokenFilterFactory getChainAwareTokenFilterFactory(
            IndexCreationContext context, TokenizerFactory tokenizer, List<CharFilterFactory> charFilters,
            List<TokenFilterFactory> previous, Function<String, TokenFilterFactory> all) {
        SynonymMap rules;
        try (Analyzer analyzer = new CustomAnalyzer(
                tokenizer,
                charFilters.toArray(CharFilterFactory[]::new),
                previous.stream().map(TokenFilterFactory::getSynonymFilter).toArray(TokenFilterFactory[]::new))) {
            rules = parse(analyzer);
        }
        String name = this.name;
        AnalysisMode mode = getAnalysisMode();
        return new TokenFilterFactory() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public TokenStream create(TokenStream in) {
                return rules.fst == null ? in : filter.apply(in, rules);
            }

            @Override
            public TokenFilterFactory getSynonymFilter() {
                return IDENTITY_FILTER; // one synonym filter does not rewrite the rules of the next
            }

            @Override
            public AnalysisMode getAnalysisMode() {
                return mode;
            }
        };
    }

    private SynonymMap parse(Analyzer analyzer) {
        boolean lenient = settings.getAsBoolean("lenient", settings.getAsBoolean("updateable", false));
        try (Reader rules = settings.hasValue("synonyms")
                ? new StringReader(String.join("\n", settings.getAsList("synonyms")))
                : Analysis.getReaderFromFile(environment, settings.get("synonyms_path"), "synonyms_path")) {
            Parser parser = new Parser(settings.getAsBoolean("expand", true), lenient, analyzer);
            parser.parse(rules);
            return parser.build();
        } catch (IOException | ParseException | RuntimeException e) {
            throw new IllegalArgumentException("failed to build synonyms", e);
        }
    }

    /** With {@code lenient}, a rule that the analyzer empties or cuts badly is passed over. */
    private static final class Parser extends SolrSynonymParser {
        private final boolean lenient;

        private Parser(boolean expand, boolean lenient, Analyzer analyzer) {
            super(true, expand, analyzer);
            this.lenient = lenient;
        }

        @Override
        public void add(CharsRef input, CharsRef output, boolean includeOriginal) {
            if (!lenient || (input.length > 0 && output.length > 0)) {
                super.add(input, output, includeOriginal);
            }
        }

        @Override
        public CharsRef analyze(String text, CharsRefBuilder reuse) throws IOException {
            try {
                return super.analyze(text, reuse);
            } catch (IllegalArgumentException e) {
                if (lenient) {
                    return new CharsRef("");
                }
                throw e;
            }
        }
    }
}
